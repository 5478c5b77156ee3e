"""Hours that are computed from the history are those that a clock that ticks every second would count."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stead.core.address import Address
from stead.core.metered import Metered
from stead.usage.spans import HOUR, set_back, spans, usage

ADDRESSES = [Address(project, "instances", name) for project in ("acme", "beta") for name in ("a", "b", "c")]
FLAVORS = {"small": (1, 1 << 30), "large": (4, 8 << 30)}
LAST = 300  # seconds that a history lasts


def amounts(flavor: str, *, on: bool) -> dict[str, int]:
    vcpus, memory = FLAVORS[flavor]
    found = {f"instances:{flavor}": 1, "vcpus": vcpus, "memory": memory}
    return {**found, **({f"running:{flavor}": 1, "running_vcpus": vcpus} if on else {})}


class Life:
    """One resource as a person changes it."""

    def __init__(self) -> None:
        self.uuid, self.flavor, self.on, self.there = 0, "small", True, False

    def do(self, what: str) -> None:
        match what:
            case "create" | "replace":
                self.there, self.on, self.uuid = True, True, self.uuid + 1
            case "destroy":
                self.there = False
            case "resize":
                self.flavor = "large" if self.flavor == "small" else "small"
            case "stop" | "start":
                self.on = what == "start"

    @property
    def amounts(self) -> dict[str, int]:
        return amounts(self.flavor, on=self.on) if self.there else {}


ACTION = st.sampled_from(["create", "destroy", "resize", "stop", "start", "replace"])
EVENT = st.tuples(st.integers(0, LAST), st.sampled_from([*ADDRESSES, None]), ACTION)  # None: all of them at once
EVENTS = st.lists(EVENT, max_size=40).map(lambda events: sorted(events, key=lambda one: one[0]))
INTERVAL = st.tuples(st.integers(-20, LAST + 20), st.integers(1, LAST + 40)).map(lambda two: (two[0], two[0] + two[1]))
Events = list[tuple[int, Address | None, str]]


def lived(events: Events) -> Iterator[tuple[int, Address, Life]]:
    lives: dict[Address, Life] = defaultdict(Life)
    for at, address, what in events:
        for one in ADDRESSES if address is None else [address]:
            lives[one].do(what)
            yield at, one, lives[one]


def counted_by_the_second(events: Events, begin: int, end: int, now: int) -> dict[str, Counter[str]]:
    """The reference: it looks at everything once a second."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    state: dict[Address, dict[str, int]] = {}
    changes = [(at, one, life.amounts) for at, one, life in lived(events)]
    for second in range(min(begin, 0), min(end, now)):
        while changes and changes[0][0] <= second:
            _, one, state_of_it = changes.pop(0)
            state[one] = state_of_it
        if second >= begin:
            for one, taken in state.items():
                found[one.project].update(taken)
    return {project: count for project, count in found.items() if any(count.values())}


@given(EVENTS, INTERVAL, st.integers(LAST, LAST + 30))
def test_usage_is_what_a_reference_counts_second_by_second(events: Events, interval: tuple[int, int], now: int) -> None:
    history = [Metered(one, str(life.uuid), life.amounts, at) for at, one, life in lived(events)]
    found = usage(history, *interval, now).projects
    expected = counted_by_the_second(events, *interval, now)
    assert found.keys() == expected.keys()
    for project, hours in found.items():
        seconds = {name: amount * HOUR for name, amount in hours.items()}
        assert seconds == pytest.approx({name: float(count) for name, count in expected[project].items() if count})


@given(st.lists(st.tuples(st.integers(0, LAST), st.sampled_from(ADDRESSES), ACTION), max_size=30), INTERVAL)
def test_a_clock_that_jumps_counts_no_second_twice(events: Events, interval: tuple[int, int]) -> None:
    """Events in any order of their times: the clock of each run was wrong in its own way."""
    history = [Metered(one, str(life.uuid), life.amounts, at) for at, one, life in lived(events)]
    taken: dict[Address, list[tuple[float, float]]] = defaultdict(list)
    for span in spans(history, LAST):
        assert span.begin <= span.end
        taken[span.address].append((span.begin, span.end))
    for some in taken.values():
        assert all(before[1] <= after[0] for before, after in pairwise(some))
    begin, end = interval
    for hours in usage(history, begin, end, LAST).projects.values():
        most = 4 * 3 * (end - begin) / HOUR  # four processors in each of three addresses
        assert 0 <= hours.get("vcpus", 0) <= most + 1e-9
    assert bool(set_back(history)) == any(
        at < max((other.at for other in history[:number] if other.address == one.address), default=at)
        for number, one in enumerate(history)
        for at in [one.at]
    )


def test_months_add_up_to_the_whole() -> None:
    history = [
        Metered(ADDRESSES[0], "1", amounts("small", on=True), 10.0),
        Metered(ADDRESSES[0], "1", amounts("large", on=False), 130.0),
        Metered(ADDRESSES[0], "1", {}, 250.0),
    ]
    parts = [usage(history, begin, begin + 60, 300).projects.get("acme", {}) for begin in range(0, 300, 60)]
    whole = usage(history, 0, 300, 300).projects["acme"]
    assert {name: sum(one.get(name, 0) for one in parts) for name in whole} == pytest.approx(whole)
    assert whole["vcpus"] * HOUR == pytest.approx(120 + 4 * 120)
    assert whole["running_vcpus"] * HOUR == pytest.approx(120)
