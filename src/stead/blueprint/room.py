"""Who of a dead host's waits, where there is no room for all: those of the lowest priority, and the others start.

A spec that nobody can place is refused. A host that died is no mistake of the spec's, and what fits elsewhere should
not wait for what does not: so that stays recorded where it was, and the plan says why.
"""

from __future__ import annotations

from collections.abc import Mapping

from stead.blueprint.demands import PlacementRequest
from stead.blueprint.model import Reason
from stead.blueprint.placement import place
from stead.blueprint.placement.model import Placement
from stead.core.observed import Host, HostStatus
from stead.core.value import replace

WAITS = "waits"


def placed(question: PlacementRequest, hosts: Mapping[str, Host]) -> tuple[PlacementRequest, Placement]:
    """The placement, and the question that it answers: who waits is pinned in it."""
    placement = place(question.problem)
    if not placement.unplaced:
        return question, placement
    leaving = [
        name
        for name, host in question.problem.current.items()
        if hosts[host].state is HostStatus.DEAD and name not in question.problem.pinned
    ]
    if not _left_out(placement).keys() & {*leaving}:
        return question, placement
    return _by_priority(question, leaving)


def _by_priority(question: PlacementRequest, leaving: list[str]) -> tuple[PlacementRequest, Placement]:
    """From the highest on, each with all before it: who of them finds no room then lets the next ones try."""
    rank = {name: question.priorities.get(question.members[name], 0) for name in leaving}
    waiting, why = set(leaving), dict[str, str]()
    for priority in sorted({*rank.values()}, reverse=True):
        trying = {name for name in leaving if rank[name] == priority}
        while trying:
            found = _left_out(place(_held(question, waiting - trying).problem))
            lost = {name: text for name, text in found.items() if name in rank}
            if not lost:
                break
            # Of those that ask for the very same it names any, also one of those before, who come first.
            named = {name: lost[name] for name in lost.keys() & trying}
            gone = named or {max(trying): next(iter(lost.values()))}
            why |= gone
            trying -= gone.keys()
        waiting -= trying
    current = question.problem.current
    held = {
        name: Reason(WAITS, f"stays on {current[name]}, which is dead: {why.get(name, 'there is no room')}")
        for name in sorted(waiting)
    }
    asked = replace(_held(question, waiting), held={**question.held, **held})
    return asked, place(asked.problem)


def _held(question: PlacementRequest, waiting: set[str]) -> PlacementRequest:
    problem = replace(question.problem, pinned=question.problem.pinned | waiting)
    return replace(question, problem=problem)


def _left_out(placement: Placement) -> dict[str, str]:
    return {member: one.text for one in placement.unplaced for member in one.members}
