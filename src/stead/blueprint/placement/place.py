"""`place`: a problem in, a placement out.

Decides how the search's numbers are written down as assignment, reasons, moves and what was left out. Must not search.
"""

from __future__ import annotations

from functools import cached_property

from stead.blueprint.placement.improve.consolidate import consolidate
from stead.blueprint.placement.improve.local_search import local_search
from stead.blueprint.placement.improve.repair import repair
from stead.blueprint.placement.model import Move, Placement, PlacementReason, Problem, Request, Unplaced
from stead.blueprint.placement.scorers import key_of
from stead.blueprint.placement.search.branch_and_bound import branch_and_bound
from stead.blueprint.placement.search.exact import exact
from stead.blueprint.placement.search.greedy import Search, members_of, overfull, start
from stead.blueprint.placement.search.proof import Prover
from stead.blueprint.placement.search.runs import Run
from stead.blueprint.placement.space import SCALE, Space
from stead.blueprint.placement.state import SearchState

STAYS = PlacementReason("kept", "it stays where it is", 0)


def place(problem: Problem) -> Placement:
    """A host for every member that can have one. Pure: the same problem, in any order, gives the same placement."""
    return finish(searched(problem))


def searched(problem: Problem, *, vectorised: bool | None = None) -> Search:
    search = start(problem, vectorised=vectorised)
    search.run()
    repair(search)
    if search.filled and search.left_out():
        _one_by_one(search)
    consolidate(search)
    local_search(search)
    branch_and_bound(search)
    repair(search)  # what was evened out may have made room
    exact(search)
    return search


def _one_by_one(search: Search) -> None:
    """Nobody pays for a good packing: where it leaves somebody out, unit by unit is tried, scarce first."""
    before, left = search.chosen(), search.left_out()
    search.refill()
    repair(search)
    if search.left_out() > left:
        search.restore(before)


def finish(search: Search) -> Placement:
    space = search.space
    kept, current = search.incumbents.kept, space.problem.current
    if len(kept) == len(current):  # who stays is where it was, and a copy is cheap
        assignment = dict(current)
    else:
        assignment = dict(zip(kept, map(space.names.__getitem__, kept.values()), strict=True))
    writer = _Writer(search, assignment)
    for run in search.runs:
        writer.write(run)
    for request, member in search.incumbents.lost:
        writer.unplaced.append(
            Unplaced(request.id, (member,), "gone", "it is pinned to a host that is not in the inventory", proven=True)
        )
    _carry(space.problem, assignment)
    return Placement(
        assignment=assignment,
        reasons=writer.reasons,
        moves=tuple(sorted(writer.moves)),
        unplaced=tuple(sorted(writer.unplaced)),
        overfull=overfull(space, search.state),
    )


class _Writer:
    def __init__(self, search: Search, assignment: dict[str, str]) -> None:
        self.search = search
        self.space: Space = search.space
        self.assignment = assignment
        self.moves: list[Move] = []
        self.unplaced: list[Unplaced] = []
        self.reasons: dict[str, PlacementReason] = {}
        if space_kept := search.incumbents.kept:
            for request in self.space.problem.requests:
                if any(member in space_kept for member in request.members):
                    self.reasons[request.id] = STAYS

    def write(self, run: Run) -> None:
        names, forced = self.space.names, self.search.incumbents.forced
        if not run.affinity_unit and not forced:
            if -1 in run.chosen:
                pairs = zip(run.units, run.chosen, strict=True)
                self.assignment.update((unit, names[h]) for unit, h in pairs if h >= 0)
            else:
                self.assignment.update(zip(run.units, map(names.__getitem__, run.chosen), strict=True))
        else:
            for i, h in enumerate(run.chosen):
                for request, member in members_of(run, i):
                    if h >= 0:
                        self.assignment[member] = names[h]
                        self._moved(request, member, names[h])
        last = next((h for h in reversed(run.chosen) if h >= 0), None)
        if last is not None:
            reason = PlacementReason("placed", self._text(run, last), score_at(self.search.state, run, last))
            for request in {id(request): request for request, _ in run.affinity_unit}.values() or (run.request,):
                self.reasons[request.id] = reason
        if -1 in run.chosen:
            self._left_out(run)

    def _moved(self, request: Request, member: str, target: str) -> None:
        if member in self.search.incumbents.forced:
            source, code, text = self.search.incumbents.forced[member]
            if source == target:  # room was made for it by others that left
                self.reasons[member] = STAYS
                return
            live = request.live and code not in {"gone", "data"} and not self._is_down(source)
            self.moves.append(Move(member, source, target, code, text, live))
            self.reasons[member] = PlacementReason("moved", text, 0)

    def _is_down(self, name: str) -> bool:
        return self.space.hosts[self.space.index[name]].state == "down"

    @cached_property
    def prover(self) -> Prover:
        return Prover(self.search)

    def _left_out(self, run: Run) -> None:
        code, text, proven = self.prover.why(run)
        left = [pair for i, h in enumerate(run.chosen) if h < 0 for pair in members_of(run, i)]
        by_request: dict[str, list[str]] = {}
        for request, member in left:
            by_request.setdefault(request.id, []).append(member)
        self.unplaced.extend(Unplaced(name, tuple(members), code, text, proven) for name, members in by_request.items())

    def _text(self, run: Run, h: int) -> str:
        state = self.search.state
        use, name = max(
            ((state.used(h)[k] / state.cap[h][k], self.space.resources[k]) for k in state.scored if state.cap[h][k]),
            default=(0.0, "nothing"),
        )
        policy = run.shape.policy.value
        hosts = len(run.shape.pool.hosts)
        if hosts == 1:
            return "the only host that may take it"
        return f"{policy}: best of {hosts} hosts that may take it; {name} is then {use:.0%} used"


def score_at(state: SearchState, run: Run, h: int) -> int:
    """The policy's score for the unit that sits on `h`: as if it were taken off and rated again."""
    state.give(h, run.shape.demand)
    key = key_of(state, run.shape)(h)
    state.take(h, run.shape.demand)
    return 0 if key is None else min(key // len(state.cap), 1000 * SCALE)


def _carry(problem: Problem, assignment: dict[str, str]) -> None:
    """Volumes land where the member that carries them lands."""
    for request in problem.requests:
        for member, volumes in request.carries.items():
            if member in assignment:
                assignment.update(dict.fromkeys(volumes, assignment[member]))
