"""What would help a member that no host takes: every minimal set of requirements to give up, or what to free where.

Decides what counts as minimal and in which order to offer it. A host opens when all that it breaks is given up, so the
minimal sets are exactly the smallest of the hosts' own sets: nothing is searched and nothing is missed. Must not
change the problem; `relaxed` gives the problem as it would be, and on problems small enough to place again while the
user waits, what is offered first has been tried.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from stead.blueprint.placement.filters import Broken
from stead.blueprint.placement.model import Placement, Problem
from stead.blueprint.placement.place import place
from stead.blueprint.placement.queries.evaluation import Evaluation, Verdict
from stead.blueprint.placement.queries.relax import relaxed_problem
from stead.blueprint.placement.search.runs import Run
from stead.blueprint.placement.space import SCALE
from stead.core.value import field, replace, value

Free = Mapping[str, Mapping[str, int]]  # host -> resource -> amount
TRY_UP_TO = 60_000  # hosts x requests for which placing again takes well under a second
ROUNDS = 12  # times that more is freed when others took what was freed first
GROW_UP_TO = 60_000  # hosts x members for which that many rounds take no more than a second or two
OFFERED = 12  # suggestions returned; the rest would not be read


@value
class Suggestion:
    """Give up `relax` (of the requests), free `free` (host -> resource -> amount), or both. `opens`: hosts it opens.

    `add` is what of `free` nobody uses, so that it can only be added.
    """

    requests: tuple[str, ...]
    relax: tuple[Broken, ...] = ()
    free: Free = field(default_factory=dict)
    add: Free = field(default_factory=dict)
    opens: int = 0
    example: str = ""
    tried: bool = False  # placed again with this applied: every member of the requests has a host

    def __str__(self) -> str:
        parts = [f"relax {' and '.join(map(str, self.relax))}"] if self.relax else []
        for host, amounts in self.free.items():
            what = ", ".join(f"{amount} {name}" for name, amount in amounts.items())
            parts.append(f"free {what} on {host}")
        return "; ".join(parts) + (f" ({self.opens} hosts fit)" if self.opens else "")


@value
class Advice:
    """`proven`: nothing short of this helps. Otherwise the search gave up and another arrangement may exist."""

    member: str
    request: str
    suggestions: tuple[Suggestion, ...]
    shortest: Suggestion | None  # the smallest shortage, on the host that has it
    scarce: str  # the resource most of the otherwise eligible hosts lack
    proven: bool


def suggest(problem: Problem, placement: Placement, member: str, *, evaluation: Evaluation | None = None) -> Advice:
    view = evaluation or Evaluation(problem, placement)
    run = view.unit(member)
    verdicts = _for_it(view.verdicts(run))
    names = tuple(sorted({request.id for request, _ in run.affinity_unit} or {run.request.id}))
    offered = _relaxations(view, verdicts, names)
    shortest = _shortest(view, run, verdicts, names)
    if shortest is not None:
        offered.append(shortest)
    if len(problem.hosts) * len(problem.requests) <= TRY_UP_TO:
        offered = _tried(problem, offered, shortest)
    return Advice(
        member=member,
        request=view.request_of[member].id,
        suggestions=tuple(_told(view, one) for one in offered[:OFFERED]),
        shortest=shortest and _told(view, shortest),
        scarce=_scarce(verdicts),
        proven=any(member in left.members and left.proven for left in placement.unplaced),
    )


def _for_it(verdicts: list[Verdict]) -> list[Verdict]:
    """Without hosts that are there for something else: what a machine is for is nobody's wish to give up."""
    return [verdict for verdict in verdicts if not any(found.is_role for found in verdict.broken)] or verdicts


def _told(evaluation: Evaluation, one: Suggestion) -> Suggestion:
    """What its own members have is no room that could be freed for them."""
    add: dict[str, dict[str, int]] = {}
    own = [request for request in evaluation.problem.requests if request.id in one.requests] if one.free else []
    seated = [
        (at, request) for request in own for one in request.members if (at := evaluation.placement.assignment.get(one))
    ]
    for host, amounts in one.free.items():
        used = dict(zip(evaluation.space.resources, evaluation.state.used(evaluation.space.index[host]), strict=True))
        for request in (request for at, request in seated if at == host):
            used = {name: much - request.demand.get(name, 0) for name, much in used.items()}
        more = {name: much - max(0, used[name]) for name, much in amounts.items() if much > used[name]}
        if more:
            add[host] = more
    return replace(one, add=add)


def relaxed(problem: Problem, suggestion: Suggestion) -> Problem:
    """The problem as it would be had the user followed the suggestion."""
    return relaxed_problem(problem, suggestion.requests, suggestion.relax, suggestion.free)


def _relaxations(evaluation: Evaluation, verdicts: list[Verdict], names: tuple[str, ...]) -> list[Suggestion]:
    sets = [frozenset(v.broken) for v in verdicts if v.broken and all(b.stage != "capacity" for b in v.broken)]
    minimal = [one for one in sets if not any(other < one for other in sets)]
    found = []
    for one in minimal:
        opened = [h for v in verdicts if set(v.broken) <= one for h in v.hosts]
        relax = next(v.broken for v in verdicts if set(v.broken) == one)
        example = evaluation.space.names[min(opened)]
        found.append(Suggestion(requests=names, relax=relax, opens=len(opened), example=example))
    return sorted(found, key=lambda s: (len(s.relax), -s.opens, [str(b) for b in s.relax]))


def _shortest(evaluation: Evaluation, run: Run, verdicts: list[Verdict], names: tuple[str, ...]) -> Suggestion | None:
    """The host that misses least, relative to what is asked, among those that break fewest other requirements."""
    best: tuple[int, int, int] | None = None
    relax: tuple[Broken, ...] = ()
    for verdict in verdicts:
        static = tuple(b for b in verdict.broken if b.stage != "capacity")
        if len(static) == len(verdict.broken) or (best and len(static) > best[0]):
            continue
        for h in verdict.hosts:
            candidate = (len(static), _missing(evaluation, run, h), h)
            if best is None or candidate < best:
                best, relax = candidate, static
    if best is None:
        return None
    host = evaluation.space.names[best[2]]
    free = {host: evaluation.shortage(best[2], run.shape.demand)}
    return Suggestion(requests=names, relax=relax, free=free, opens=1, example=host)


def _missing(evaluation: Evaluation, run: Run, h: int) -> int:
    free = evaluation.state.free[h]
    return sum([(amount - free[k]) * SCALE // amount for k, amount in run.shape.demand if amount > free[k]])


def _scarce(verdicts: list[Verdict]) -> str:
    """Asked of hosts whose only fault is capacity; of all hosts when there are none."""
    only = [v for v in verdicts if v.broken and all(b.stage == "capacity" for b in v.broken)] or verdicts
    counts: dict[str, int] = {}
    for verdict in only:
        for found in verdict.broken:
            if found.stage == "capacity":
                counts[found.value] = counts.get(found.value, 0) + len(verdict.hosts)
    return min(counts, key=lambda name: (-counts[name], name), default="")


def _tried(problem: Problem, offered: list[Suggestion], shortest: Suggestion | None) -> list[Suggestion]:
    """What works comes first. Where nothing works as it stands, more is freed until the members fit."""
    tried = [_least(problem, one) for one in offered[:OFFERED]]
    if not any(one.tried for one in tried):
        seed = shortest or (tried[0] if tried else None)
        grown = _grown(problem, seed) if seed else None
        tried = ([_least(problem, grown)] if grown else []) + tried
    return sorted(_distinct(tried), key=lambda one: not one.tried)


def _distinct(offered: list[Suggestion]) -> list[Suggestion]:
    """What turned out to be less may be another one, or be contained in one."""
    enough = [set(one.relax) for one in offered if one.tried and not one.free]
    kept: list[Suggestion] = []
    for one in offered:
        said = any(one.relax == other.relax and one.free == other.free for other in kept)
        if not said and not any(relax < set(one.relax) for relax in enough):
            kept.append(one)
    return kept


def _least(problem: Problem, one: Suggestion) -> Suggestion:
    """Whether it helps; and where it does, without what turns out not to be needed."""
    placement = _helps(problem, one)
    if placement is None:
        return one
    while True:
        for eased in _less(problem, one, placement):
            after = _helps(problem, eased)
            if after is not None:
                one, placement = eased, after
                break
        else:
            return replace(one, tried=True)


def _helps(problem: Problem, one: Suggestion) -> Placement | None:
    """The placement in which all of its members have a host. None where there is none."""
    eased = relaxed(problem, one)
    if _crowded(eased, one):
        return None
    placement = place(eased)
    return None if _left(placement, one) else placement


def _crowded(eased: Problem, one: Suggestion) -> bool:
    """Whether there is not even room for a request's members by themselves: told by counting, without placing."""
    for request in eased.requests:
        if request.id in one.requests:
            seated = Counter(eased.current.get(member, "") for member in request.members)
            asked = [pair for pair in request.demand.items() if pair[1]]
            room = 0
            for host in eased.hosts if asked else ():
                room += max(seated[host.name], min(host.usable(name) // amount for name, amount in asked))
            if asked and room < len(request.members):
                return True
    return False


def _less(problem: Problem, one: Suggestion, placement: Placement) -> Iterator[Suggestion]:
    """With no more freed than was taken, and without one of what it asks."""
    parts = []
    if one.free and (used := _used(problem, one, placement)) != one.free:
        parts.append(replace(one, free=used))
    parts += [replace(one, relax=tuple(other for other in one.relax if other != found)) for found in one.relax]
    for host, amounts in one.free.items():
        parts += [replace(one, free=_without(one.free, host, name)) for name in amounts]
    yield from (part for part in parts if part.relax or part.free)


def _without(free: Free, host: str, name: str) -> Free:
    row = {other: much for other, much in free[host].items() if other != name}
    return {at: amounts for at, amounts in ({**free, host: row}).items() if amounts}


def _used(problem: Problem, one: Suggestion, placement: Placement) -> Free:
    """What of the freed room the placement takes."""
    hosts = {host.name: host for host in problem.hosts}
    taken: dict[str, dict[str, int]] = {name: dict.fromkeys(amounts, 0) for name, amounts in one.free.items()}
    for request in problem.requests:
        for member in request.members:
            row = taken.get(placement.assignment.get(member, ""), {})
            for resource in row:
                row[resource] += request.demand.get(resource, 0)
    free: dict[str, dict[str, int]] = {}
    for name, row in taken.items():
        over = {resource: amount - hosts[name].usable(resource) for resource, amount in row.items()}
        needed = {resource: min(amount, one.free[name][resource]) for resource, amount in over.items() if amount > 0}
        if needed:
            free[name] = needed
    return free


def _left(placement: Placement, suggestion: Suggestion) -> list[str]:
    return [member for left in placement.unplaced if left.request in suggestion.requests for member in left.members]


def _grown(problem: Problem, seed: Suggestion) -> Suggestion | None:
    """A suggestion for all members that are left out: what each of them still lacks is added, until all have a host."""
    one = seed
    members = sum(len(request.members) for request in problem.requests)
    for turn in range(ROUNDS if len(problem.hosts) * members <= GROW_UP_TO else 2):
        eased = relaxed(problem, one)
        after = place(eased)
        left = _left(after, one)
        if not left:
            return replace(one, tried=True)
        evaluation = Evaluation(eased, after)
        for member in left:
            more = _more(evaluation, member, one, 1 << turn)
            if more is None:
                break
            one = more
    return None


def _more(evaluation: Evaluation, member: str, one: Suggestion, times: int) -> Suggestion | None:
    """Adds what this member lacks, and seats it in the evaluation so that the next one does not count on the same room.

    `times` doubles with every round: others that were left out take what is freed for this one until they all fit too.
    """
    run = evaluation.unit(member)
    verdicts = _for_it(evaluation.verdicts(run))
    if verdicts and not verdicts[0].broken:
        evaluation.state.take(verdicts[0].hosts[0], run.shape.demand)
        return one
    options = _relaxations(evaluation, verdicts, one.requests)
    shortest = _shortest(evaluation, run, verdicts, one.requests)
    step = min([*options, *([shortest] if shortest else [])], key=lambda s: (len(s.relax), -len(s.free)), default=None)
    if step is None:
        return None
    free = {host: dict(amounts) for host, amounts in one.free.items()}
    for host, amounts in step.free.items():
        row = free.setdefault(host, {})
        for name, amount in amounts.items():
            row[name] = row.get(name, 0) + amount * times
            evaluation.state.free[evaluation.space.index[host]][evaluation.space.slot[name]] += amount * times
    if step.free:
        evaluation.state.take(evaluation.space.index[step.example], run.shape.demand)
    relax = one.relax + tuple(found for found in step.relax if found not in one.relax)
    return replace(one, relax=relax, free=free, opens=max(1, one.opens))
