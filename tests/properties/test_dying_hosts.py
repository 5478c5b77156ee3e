"""Hosts die, are cut off, come back with what they had; people fence, evacuate, apply. What holds whatever the order.

Never two writers of a disk. Nothing evacuated that lives. No host is given more than it has. And when the trouble is
over, everything runs that was asked for.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from dying import HOSTS, Site, spec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from stead.plan.evacuation import plan_evacuation
from stead.runner.simulated_model import OFF

EXAMPLES = int(os.environ.get("STEAD_DEATHS", "12"))  # 10,000 by hand
STEPS = 14
FILES = sorted((Path(__file__).parents[1] / "cases" / "deaths").glob("*.yml"))


def happens(site: Site, event: Any) -> None:
    """One line of a scenario: what happens to a host, what a person does, or what must be so."""
    match event:
        case {"running": int(number)}:
            assert len(site.running()) == number
        case {"none on": host}:
            assert host not in site.running().values()
        case {"runs": names}:
            assert set(names) <= site.running().keys()
        case {"waits": names}:
            plan = site.bench.plan()
            assert plan is not None
            waiting = {one for some in plan.waiting.values() for one in some}
            assert {f"acme/instances/{name}" for name in names} == waiting
        case str():
            word, _, host = event.partition(" ")
            match word:
                case "off" | "up":
                    site.mark(host, word)
                    site.state.booted()
                case "cut":
                    site.mark(host, "down")
                case "evacuate":
                    site.mark(host, OFF)  # by its agent
                    site.evacuate(host)
                case "apply":
                    site.plan_and_apply()
                case _:
                    pytest.fail(f"no event: {event}")
        case _:
            pytest.fail(f"no event: {event}")
    assert site.doubled() == []
    assert site.overfull() == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_bad_day_of_a_file_ends_as_it_says(path: Path, tmp_path: Path) -> None:
    told = yaml.safe_load(path.read_text())
    site = Site(tmp_path)
    site.bench.write(spec(told["guests"]))
    site.plan_and_apply()
    for event in told["events"]:
        happens(site, event)
    site.close()


class Deaths(RuleBasedStateMachine):
    site: Site

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.guests = 0

    @initialize(guests=st.integers(3, 11))
    def begin(self, guests: int) -> None:
        self.site = Site(Path(self.folder.name))
        self.guests = guests
        self.site.bench.write(spec(guests))
        self.site.plan_and_apply()
        assert len(self.site.running()) == guests

    @rule(host=st.sampled_from(HOSTS))
    def loses_its_power(self, host: str) -> None:
        self.site.mark(host, OFF)

    @rule(host=st.sampled_from(HOSTS))
    def loses_its_cable(self, host: str) -> None:
        """One without power is switched on, and finds no cable."""
        self.site.mark(host, "down")

    @rule(host=st.sampled_from(HOSTS))
    def comes_back(self, host: str) -> None:
        self.site.mark(host, "up")
        self.site.state.booted()

    @rule()
    def is_applied(self) -> None:
        self.site.plan_and_apply()

    @rule(host=st.sampled_from(HOSTS))
    def is_evacuated(self, host: str) -> None:
        """By its agent, which cuts the power of what is only cut off."""
        if self.site.state_of(host) == "up":
            planned, _, found = plan_evacuation(self.site.inputs(), host, lossy=False)
            assert planned.plan is None
            assert [one.code for one in found] == ["STEAD-H025"]
            return
        self.site.mark(host, OFF)
        self.site.evacuate(host)

    @rule(host=st.sampled_from(HOSTS))
    def is_fenced_and_comes_back_in_the_middle(self, host: str) -> None:
        """Switched on again after the plan was made, and before it is applied; its cable is out."""
        if self.site.state_of(host) == "up":
            return
        self.site.mark(host, OFF)
        planned, _, _ = plan_evacuation(self.site.inputs(), host, lossy=False)
        assert planned.plan is not None
        self.site.mark(host, "down")
        self.site.apply(planned.plan)

    @precondition(lambda self: self.guests > 1)
    @rule()
    def has_a_guest_less(self) -> None:
        self.guests -= 1
        self.site.bench.write(spec(self.guests))

    @invariant()
    def nobody_writes_where_another_does(self) -> None:
        if self.guests:
            assert self.site.doubled() == []

    @invariant()
    def no_host_has_more_than_it_has_room_for(self) -> None:
        if self.guests:
            assert self.site.overfull() == []

    def teardown(self) -> None:
        try:
            if self.guests:
                self.ends_well()
        finally:
            if self.guests:
                self.site.close()
            self.folder.cleanup()

    def ends_well(self) -> None:
        """All hosts have power and cables, and people apply: twice, since a host that is back is cleared first."""
        for host in HOSTS:
            self.site.mark(host, "up")
        for _ in range(3):
            if self.site.plan_and_apply().empty:
                break
        assert self.site.bench.plan().empty  # type: ignore[union-attr]
        assert self.site.running().keys() == {f"g{at}" for at in range(self.guests)}
        assert self.site.doubled() == []


Deaths.TestCase.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=EXAMPLES < 100,
)
TestDeaths = Deaths.TestCase
