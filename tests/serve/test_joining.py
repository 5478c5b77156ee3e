"""Edits that wait for each other share one plan, and none pays for another's mistake."""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest
from tests.serve.served import Site

from stead.serve.edits import Content, Who
from stead.serve.faults import Fault, bad
from stead.serve.joining import WaitingEdit, carry_out, joined
from stead.serve.world import CloudState

ADA, BOB = Who("ada", "1"), Who("bob", "2")


def putting(name: str, project: str = "acme", who: Who = ADA) -> WaitingEdit:
    return WaitingEdit(project, who, f"make {name}", lambda content: {**content, name: {}}, lambda _one: False)


def refusing(name: str) -> WaitingEdit:
    def edit(_content: Content) -> Content:
        raise bad(f"{name} is wrong")

    return WaitingEdit("acme", ADA, f"make {name}", edit, lambda _one: False)


class Store:
    """Stands for planning and saving: refuses contents with these names."""

    def __init__(self, *refused: str) -> None:
        self.content: Content = {}
        self.refused, self.plans = refused, 0

    def do(self, one: WaitingEdit) -> CloudState:
        self.plans += 1
        content = one.edit(self.content)
        if set(self.refused) & set(content):
            raise bad("no host fits")
        self.content = content
        return cast("CloudState", dict(content))


def errors(some: list[WaitingEdit]) -> list[bool]:
    return [one.error is not None for one in some]


def test_what_waits_together_is_planned_once() -> None:
    store, some = Store(), [putting(name) for name in "abc"]
    carry_out(some, store.do)
    assert (store.plans, sorted(store.content), errors(some)) == (1, ["a", "b", "c"], [False] * 3)
    assert cast("Any", some[2].answer()) == {"a": {}, "b": {}, "c": {}}


def test_an_edit_that_cannot_be_made_fails_alone() -> None:
    store, some = Store(), [putting("a"), refusing("b"), putting("c")]
    carry_out(some, store.do)
    assert (store.plans, sorted(store.content), errors(some)) == (1, ["a", "c"], [False, True, False])
    with pytest.raises(Fault, match="b is wrong"):
        some[1].answer()


def test_what_is_refused_together_is_tried_one_by_one() -> None:
    store, some = Store("b"), [putting(name) for name in "abc"]
    carry_out(some, store.do)
    assert (store.plans, sorted(store.content), errors(some)) == (4, ["a", "c"], [False, True, False])


def test_projects_and_people_are_not_mixed_and_order_is_kept() -> None:
    some = [putting("a"), putting("b"), putting("c", "blue"), putting("d"), putting("e", who=BOB)]
    names = [[one.reason for one in group] for group in joined(deque(some))]
    assert names == [["make a", "make b"], ["make c"], ["make d"], ["make e"]]


def at_once(site: Site, monkeypatch: pytest.MonkeyPatch, bodies: list[dict[str, Any]]) -> tuple[list[int], int]:
    """What these networks were answered, and how many plans it took: the first is planned until all others wait."""
    assert site.worker.wait_idle(30)  # what it records makes requests read anew, which waits for the first one
    plans, planned = [0], site.cloud._planned

    def planning(*parts: Any) -> Any:
        plans[0] += 1
        until = time.monotonic() + 30
        while plans[0] == 1 and len(site.cloud._waiting) < len(bodies) - 1 and time.monotonic() < until:
            time.sleep(0.01)
        return planned(*parts)

    site.call("GET", "/network/v2.0/networks", who="bob")  # one log-in for all
    monkeypatch.setattr(site.cloud, "_planned", planning)
    with ThreadPoolExecutor(len(bodies)) as pool:
        posts = [pool.submit(site.call, "POST", "/network/v2.0/networks", {"network": one}, "bob") for one in bodies]
    return [one.result()[0] for one in posts], plans[0]


def test_requests_that_wait_for_one_another_share_its_plan(own_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    answers, plans = at_once(own_site, monkeypatch, [{"name": f"n{number}"} for number in range(10)])
    assert (answers, plans) == ([201] * 10, 2)


def test_nobody_is_refused_for_anothers_request(own_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    bodies: list[dict[str, Any]] = [{"name": f"n{number}"} for number in range(9)]
    answers, plans = at_once(own_site, monkeypatch, [*bodies, {"name": "bad", "mtu": 10}])
    assert (answers, plans <= 11) == ([201] * 9 + [400], True)
    found = own_site.call("GET", "/network/v2.0/networks?router:external=false", who="bob")[2]["networks"]
    assert len(found) == 9
