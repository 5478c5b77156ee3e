"""What no placement can beat, from linear programs: fractions of units on groups of identical hosts.

The bound for `balance` is the least possible use of the fullest host; for `pack`, the least number of hosts. Both drop
groups and integrality, so the true optimum may be worse than the bound and never better.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import NamedTuple

import highspy
import numpy as np

from stead.blueprint.placement.model import GroupKind, Over, Problem
from stead.blueprint.placement.space import Space


class Classes(NamedTuple):
    """Hosts alike in class and capacity, and shapes with how many units each has."""

    hosts: list[tuple[int, tuple[int, ...], int]]  # class, usable, how many
    shapes: list[tuple[tuple[tuple[int, int], ...], frozenset[int], int]]  # demand, host classes, units


def classes(problem: Problem, *, scored_only: bool) -> Classes:
    space = Space(problem)
    hosts = Counter((space.class_of[h], tuple(row)) for h, row in enumerate(space.usable))
    shapes: Counter[tuple[tuple[tuple[int, int], ...], frozenset[int]]] = Counter()
    for request in problem.requests:
        shape = space.shape(request)
        eligible = frozenset(space.class_of[h] for h in shape.pool.hosts)
        shapes[shape.scored if scored_only else shape.demand, eligible] += len(request.members)
    return Classes([(c, u, n) for (c, u), n in sorted(hosts.items())], [(d, e, n) for (d, e), n in shapes.items()])


def balance_bound(problem: Problem) -> float:
    """Least use of the fullest host; devices do not count, as in the policy."""
    return _solve(classes(problem, scored_only=True), pack=False)


def pack_bound(problem: Problem) -> int:
    """Least number of hosts; a hard spread of n members needs n of them."""
    spread: Counter[str] = Counter()
    for request in problem.requests:
        for group in request.groups:
            if group.hard and group.kind is GroupKind.SPREAD and group.over is Over.HOSTS:
                spread[group.name] += len(request.members)
    least = max(spread.values(), default=0)
    return max(least, math.ceil(_solve(classes(problem, scored_only=False), pack=True) - 1e-6))


def _solve(found: Classes, *, pack: bool) -> float:
    highs = highspy.Highs()  # type: ignore[no-untyped-call]
    highs.setOptionValue("output_flag", False)
    inf = highspy.kHighsInf
    count = len(found.hosts)
    last: list[int] = []
    if pack:
        for _, _, hosts in found.hosts:
            last.append(len(last))
            highs.addVar(0.0, float(hosts))
            highs.changeColCost(last[-1], 1.0)
    else:
        highs.addVar(0.0, inf)
        highs.changeColCost(0, 1.0)
        last = [0] * count
    columns = len(set(last))
    used: dict[tuple[int, int], list[tuple[int, float]]] = {}
    for demand, eligible, units in found.shapes:
        mine = []
        for g, (c, usable, hosts) in enumerate(found.hosts):
            if c in eligible and all(usable[k] >= amount for k, amount in demand):
                highs.addVar(0.0, inf)
                mine.append(columns)
                for k, amount in demand:
                    part = amount / usable[k] / (1 if pack else hosts)
                    used.setdefault((g, k), []).append((columns, part))
                columns += 1
        _row(highs, float(units), inf, [(column, 1.0) for column in mine])
    for (g, _), terms in used.items():
        _row(highs, -inf, 0.0, [*terms, (last[g], -1.0)])
    highs.run()
    return float(highs.getInfo().objective_function_value)


def _row(highs: highspy.Highs, low: float, high: float, terms: list[tuple[int, float]]) -> None:
    index = np.array([column for column, _ in terms], dtype=np.int32)
    values = np.array([value for _, value in terms])
    highs.addRow(low, high, len(terms), index, values)
