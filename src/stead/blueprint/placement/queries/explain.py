"""Why a member is where it is, or nowhere: funnel, best hosts term by term, margin to the runner-up.

Decides how the search's numbers are told. Computed on demand, from the finished placement with everyone else in place:
keeping it for a hundred thousand members would cost more than placing them. Must not suggest (that is `suggest`).
"""

from __future__ import annotations

from stead.blueprint.placement.filters import STAGES
from stead.blueprint.placement.model import GroupKind, Over, Placement, Policy, Problem, Request
from stead.blueprint.placement.queries.evaluation import Evaluation, Verdict
from stead.blueprint.placement.scorers import key_of, nova_ranges
from stead.blueprint.placement.search.runs import Run
from stead.blueprint.placement.space import SCALE
from stead.core.value import value

TOP = 5  # hosts shown with their scores


@value
class Stage:
    """One step of the funnel: hosts that fall here first, and how many are left after it."""

    stage: str
    removed: int
    left: int


@value
class Rejected:
    """Hosts that break exactly these requirements, with one of them by name."""

    broken: tuple[str, ...]
    hosts: int
    example: str


@value
class Ranked:
    """A host that would take the member. `terms` add up to no score; they are what the score is made from."""

    host: str
    score: int
    terms: tuple[tuple[str, int], ...]


@value
class Explanation:
    """`margin` is how much worse the next host scores than the chosen one; negative when today another would win."""

    member: str
    request: str
    host: str
    code: str
    text: str
    policy: str
    hosts: int
    funnel: tuple[Stage, ...]
    rejected: tuple[Rejected, ...]
    ranked: tuple[Ranked, ...]
    margin: int | None


def explain(
    problem: Problem, placement: Placement, member: str, *, evaluation: Evaluation | None = None
) -> Explanation:
    """Raises KeyError for a member that the problem does not have."""
    view = evaluation or Evaluation(problem, placement)
    view.lift(member, -1)
    try:
        return _explain(view, member)
    finally:
        view.lift(member, 1)


def _explain(evaluation: Evaluation, member: str) -> Explanation:
    run = evaluation.unit(member)
    verdicts = evaluation.verdicts(run)
    ranked = _ranked(evaluation, run, verdicts)
    request = evaluation.request_of[member]
    host = evaluation.placement.assignment.get(member, "")
    code, text = _why(evaluation.placement, request, member)
    return Explanation(
        member=member,
        request=request.id,
        host=host,
        code=code,
        text=text,
        policy=evaluation.space.policy(request).value,
        hosts=len(evaluation.space.hosts),
        funnel=_funnel(verdicts, len(evaluation.space.hosts)),
        rejected=_rejected(evaluation, verdicts),
        ranked=tuple(_terms(evaluation, run, key) for key in _shown(evaluation, ranked, host)),
        margin=_margin(evaluation, ranked, host),
    )


def _why(placement: Placement, request: Request, member: str) -> tuple[str, str]:
    for left in placement.unplaced:
        if left.request == request.id and member in left.members:
            return left.code, left.text
    reason = placement.reasons.get(member) or placement.reasons.get(request.id)
    return (reason.code, reason.text) if reason else ("unknown", "this placement has no word on it")


def _funnel(verdicts: list[Verdict], hosts: int) -> tuple[Stage, ...]:
    fallen = dict.fromkeys(STAGES, 0)
    for verdict in verdicts:
        if verdict.broken:
            fallen[verdict.broken[0].stage] += len(verdict.hosts)
    found, left = [], hosts
    for stage in STAGES:
        if fallen[stage]:
            left -= fallen[stage]
            found.append(Stage(stage=stage, removed=fallen[stage], left=left))
    return tuple(found)


def _rejected(evaluation: Evaluation, verdicts: list[Verdict]) -> tuple[Rejected, ...]:
    names = evaluation.space.names
    found = [
        Rejected(broken=tuple(map(str, v.broken)), hosts=len(v.hosts), example=names[v.hosts[0]])
        for v in verdicts
        if v.broken
    ]
    return tuple(sorted(found, key=lambda r: (len(r.broken), -r.hosts, r.broken)))


def _ranked(evaluation: Evaluation, run: Run, verdicts: list[Verdict]) -> list[int]:
    """Keys of the hosts that would take the unit, best first."""
    open_hosts = list(verdicts[0].hosts) if verdicts and not verdicts[0].broken else []
    if not open_hosts:
        return []
    nova, mirror = run.shape.policy is Policy.NOVA, evaluation.mirror
    if mirror is not None:
        scaled = mirror.ranges(run.shape, open_hosts) if nova else ()
        keys: list[int] = mirror.sorted_keys(run.shape, open_hosts, scaled).tolist()
    else:
        ranges = nova_ranges(evaluation.state, run.shape, open_hosts) if nova else ()
        keys = sorted(key for key in map(key_of(evaluation.state, run.shape, ranges), open_hosts) if key is not None)
    if not run.groups:
        return keys
    n = len(evaluation.space.hosts)
    return sorted(keys, key=lambda key: (_wishes(evaluation, run, key % n), key))


def _wishes(evaluation: Evaluation, run: Run, h: int) -> int:
    """Members of soft groups on this host or in its zone, counted against it when they are to be apart."""
    total = 0
    tally, zone = evaluation.state.tally, evaluation.space.zone_of[h]
    for group, _ in run.groups:
        if not group.hard or group.over is Over.ZONES:
            over_zones = group.over is Over.ZONES
            count = tally.in_zone(group.name).get(zone, 0) if over_zones else tally.on_host(group.name).get(h, 0)
            total += count if group.kind is GroupKind.SPREAD else -count
    return total


def _shown(evaluation: Evaluation, ranked: list[int], host: str) -> list[int]:
    n = len(evaluation.space.hosts)
    shown = ranked[:TOP]
    own = [key for key in ranked if evaluation.space.names[key % n] == host]
    return shown + [key for key in own if key not in shown]


def _terms(evaluation: Evaluation, run: Run, key: int) -> Ranked:
    state, n = evaluation.state, len(evaluation.space.hosts)
    h = key % n
    asked = dict(run.shape.demand)
    terms = [
        (
            f"{evaluation.space.resources[k]} used",
            (state.cap[h][k] - state.free[h][k] + asked.get(k, 0)) * SCALE // state.cap[h][k],
        )
        for k in state.scored
        if state.cap[h][k]
    ]
    penalty = run.shape.pool.penalty[h]
    if penalty:
        terms.append(("preferences", penalty))
    wishes = _wishes(evaluation, run, h) if run.groups else 0
    if wishes:
        terms.append(("group members", wishes))
    return Ranked(host=evaluation.space.names[h], score=key // n, terms=tuple(terms))


def _margin(evaluation: Evaluation, ranked: list[int], host: str) -> int | None:
    n = len(evaluation.space.hosts)
    own = next((key for key in ranked if evaluation.space.names[key % n] == host), None)
    other = next((key for key in ranked if evaluation.space.names[key % n] != host), None)
    return None if own is None or other is None else other // n - own // n
