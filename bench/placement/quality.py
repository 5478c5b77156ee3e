"""How good our placements are, beside what no placement can beat.

The first bound is a linear program over fractions of instances; where it does not settle the aim, one over patterns of
whole ones. Neither knows of groups, so the true optimum may be worse than both.
"""

from __future__ import annotations

import bounds
import patterns
import speed
import workload
from report import Report, timed

from stead.blueprint.placement import Evaluation, Placement, Policy, Problem, place

BALANCE, PACK = 0.03, 0.04


def run(report: Report, hosts: int, seed: int, policy: Policy) -> None:
    problem = workload.problem(hosts, hosts * 10, seed, policy, soft=False)
    placement, cpu, _ = timed(lambda: place(problem))
    report.start(f"{policy.value}, {hosts:,} hosts, {hosts * 10:,} instances, seed {seed}")
    got = fullest(problem, placement) if policy is Policy.BALANCE else used(placement)
    aim = BALANCE if policy is Policy.BALANCE else PACK
    (least, by), bounding, _ = timed(lambda: _bound(problem, got, aim))
    gap = got / least - 1
    what = "use of the fullest host" if policy is Policy.BALANCE else "hosts in use"
    value = f"{got:.5g}, bound {least:.5g}: {gap:+.2%}"
    note = f"bound over {by}, {bounding:.1f} CPU-s; placed in {cpu:.2f} CPU-s"
    report.line(what, value, f"within {aim:.0%}", met=gap <= aim, note=note)
    speed.unplaced(report, placement)


def _bound(problem: Problem, got: float, aim: float) -> tuple[float, str]:
    if problem.policy is Policy.BALANCE:
        least = bounds.balance_bound(problem)
        if got / least - 1 <= aim:
            return least, "fractions"
        return patterns.balance_bound(problem, least, got), "patterns"
    least = float(bounds.pack_bound(problem))
    if got / least - 1 <= aim:
        return least, "fractions"
    return float(max(least, patterns.pack_bound(problem))), "patterns"


def fullest(problem: Problem, placement: Placement) -> float:
    return max(Evaluation(problem, placement).state.level)


def used(placement: Placement) -> float:
    return float(len(set(placement.assignment.values())))
