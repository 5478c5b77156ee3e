"""A bound that knows that instances are whole: the linear program over patterns, what one host can hold.

Fractions of an instance fill every last byte of a host; whole ones do not, so the plain program's bound may be a tenth
below what any placement can reach. Here a variable is how many hosts of a kind hold one pattern (so many units of each
demand), patterns are made as the program asks for them (column generation, a small knapsack per kind of host, solved
exactly), and what is reported is the Lagrangian bound: valid at every iteration, whether or not the columns are all
there. Still dropped: groups, and that a pattern is used a whole number of times.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import highspy
import numpy as np

from stead.blueprint.placement.model import Problem
from stead.blueprint.placement.space import Space

Demand = tuple[tuple[int, int], ...]
ROUNDS = 400  # none of the made-up clusters needs half of it
KNAPSACK = 2.0  # seconds; hardly any takes a tenth of one
NEAR = 3e-3  # of the bound: closer is of no interest


class Kind(NamedTuple):
    """Hosts that are alike."""

    usable: tuple[int, ...]
    hosts: int
    shapes: tuple[int, ...]  # eligible and small enough


class Question(NamedTuple):
    kinds: list[Kind]
    demands: list[Demand]  # of each shape
    units: list[int]
    scored: list[bool]


def question(problem: Problem) -> Question:
    space = Space(problem)
    shapes: Counter[tuple[Demand, frozenset[int]]] = Counter()
    for request in problem.requests:
        shape = space.shape(request)
        shapes[shape.demand, frozenset(space.class_of[h] for h in shape.pool.hosts)] += len(request.members)
    listed = list(shapes)
    hosts = Counter((space.class_of[h], tuple(row)) for h, row in enumerate(space.usable))
    kinds = [
        Kind(
            usable,
            count,
            tuple(s for s, (demand, classes) in enumerate(listed) if c in classes and _fits(demand, usable)),
        )
        for (c, usable), count in sorted(hosts.items())
    ]
    return Question(kinds, [demand for demand, _ in listed], list(shapes.values()), space.is_scored)


def _fits(demand: Demand, usable: tuple[int, ...]) -> bool:
    return all(usable[k] >= amount for k, amount in demand)


def pack_bound(problem: Problem, seconds: float = 600.0) -> int:
    """Least number of hosts, as far as it is found in this time."""
    asked = question(problem)
    best, end = 0.0, time.process_time() + seconds
    for bound, value in _Generation(asked, cost=1.0).rounds(end):
        best = max(best, bound)
        if math.ceil(value - 1e-6) <= math.ceil(best - 1e-6) or value - best < NEAR * value:
            break
    return math.ceil(best - 1e-6)


def balance_bound(problem: Problem, low: float, high: float) -> float:
    """Least use of the fullest host, between what is known to be needed and what has been reached, to `NEAR`."""
    asked = question(problem)
    while high - low > NEAR * low:
        middle = (low + high) / 2
        if _too_full(_shrunk(asked, middle)):
            low = middle
        else:
            high = middle
    return low


def _shrunk(asked: Question, level: float) -> Question:
    kinds = []
    for kind in asked.kinds:
        usable = tuple(
            math.floor(amount * level + 1e-9 * amount) if yes else amount
            for amount, yes in zip(kind.usable, asked.scored, strict=True)
        )
        kinds.append(Kind(usable, kind.hosts, tuple(s for s in kind.shapes if _fits(asked.demands[s], usable))))
    return asked._replace(kinds=kinds)


def _too_full(asked: Question) -> bool:
    """Proven by the bound on how many units have no host; False also where the rounds ran out."""
    for bound, value in _Generation(asked, cost=0.0).rounds():
        if bound > 1e-4:
            return True
        if value < 1e-6:
            return False
    return False


class _Generation:
    """`cost` of using a host; every unit that has none costs more than a host, so that what is missing shows."""

    def __init__(self, asked: Question, cost: float) -> None:
        self.asked = asked
        self.cost = cost
        self.missing = 2.0 if cost else 1.0
        self.master = highspy.Highs()  # type: ignore[no-untyped-call]
        self.master.setOptionValue("output_flag", False)
        inf = highspy.kHighsInf
        for s, units in enumerate(asked.units):
            self.master.addRow(float(units), inf, 0, _ints([]), _floats([]))
            self.master.addCol(self.missing, 0.0, inf, 1, _ints([s]), _floats([1.0]))
        for kind in asked.kinds:
            self.master.addRow(-inf, float(kind.hosts), 0, _ints([]), _floats([]))
        self.knapsacks = [_Knapsack(asked, kind) for kind in asked.kinds]
        self.known: set[tuple[int, tuple[tuple[int, int], ...]]] = set()

    def rounds(self, end: float = math.inf) -> Iterator[tuple[float, float]]:
        """A bound and the value with the patterns so far, round by round."""
        for _ in range(ROUNDS):
            self.master.run()
            value = self.master.getInfo().objective_function_value
            duals = list(self.master.getSolution().row_dual)
            prices = [max(0.0, price) for price in duals[: len(self.asked.units)]]
            bound = sum(price * units for price, units in zip(prices, self.asked.units, strict=True))
            new = False
            for g, knapsack in enumerate(self.knapsacks):
                most, pattern = knapsack.best(prices)
                bound -= self.asked.kinds[g].hosts * max(0.0, most - self.cost)
                if most - self.cost + duals[len(prices) + g] > 1e-7:
                    new = self._add(g, pattern) or new
            yield bound, value
            if not new or time.process_time() > end:
                return

    def _add(self, g: int, pattern: tuple[tuple[int, int], ...]) -> bool:
        if not pattern or (g, pattern) in self.known:
            return False
        self.known.add((g, pattern))
        rows = [s for s, _ in pattern] + [len(self.asked.units) + g]
        values = [float(count) for _, count in pattern] + [1.0]
        self.master.addCol(self.cost, 0.0, highspy.kHighsInf, len(rows), _ints(rows), _floats(values))
        return True


class _Knapsack:
    """What one host of a kind holds at most, at given prices."""

    def __init__(self, asked: Question, kind: Kind) -> None:
        self.kind = kind
        self.of: dict[Demand, list[int]] = {}
        for s in kind.shapes:
            self.of.setdefault(asked.demands[s], []).append(s)
        self.demands = list(self.of)
        self.units = asked.units
        self.model = highspy.Highs()  # type: ignore[no-untyped-call]
        self.model.setOptionValue("output_flag", False)
        self.model.setOptionValue("mip_rel_gap", 0.0)
        self.model.setOptionValue("mip_abs_gap", 1e-9)
        self.model.setOptionValue("time_limit", KNAPSACK)  # its own bound holds then as well
        for demand, shapes in self.of.items():
            most = min([sum(asked.units[s] for s in shapes), *(kind.usable[k] // amount for k, amount in demand)])
            self.model.addVar(0.0, float(most))
            self.model.changeColIntegrality(self.model.getNumCol() - 1, highspy.HighsVarType.kInteger)
        for k, amount in enumerate(kind.usable):
            terms = [(i, dict(demand).get(k, 0)) for i, demand in enumerate(self.demands)]
            terms = [(i, much) for i, much in terms if much]
            if terms:
                columns, values = [i for i, _ in terms], [much / amount for _, much in terms]
                self.model.addRow(-highspy.kHighsInf, 1.0 + 1e-12, len(terms), _ints(columns), _floats(values))
        self.model.changeObjectiveSense(highspy.ObjSense.kMaximize)

    def best(self, prices: list[float]) -> tuple[float, tuple[tuple[int, int], ...]]:
        if not self.demands:
            return 0.0, ()
        chosen = [max(shapes, key=lambda s: (prices[s], -s)) for shapes in self.of.values()]
        values = _floats([prices[s] for s in chosen])
        self.model.changeColsCost(len(chosen), _ints(range(len(chosen))), values)
        self.model.run()
        solution = self.model.getSolution().col_value
        pattern = tuple((chosen[i], round(count)) for i, count in enumerate(solution) if round(count))
        return float(self.model.getInfo().mip_dual_bound), pattern


def _ints(values: list[int] | range) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    return np.array(values, dtype=np.int32)


def _floats(values: list[float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array(values, dtype=np.float64)
