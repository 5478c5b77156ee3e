"""OR-Tools CP-SAT as a peer on small cases: the true optimum of what the policy aims at, if it is found in time.

python bench/placement/cpsat.py SEED POLICY SECONDS     prints the value and `proven` or `best`
"""

from __future__ import annotations

import sys
from math import gcd
from typing import NamedTuple

import workload
from ortools.sat.python import cp_model

from stead.blueprint.placement.model import Policy, Problem
from stead.blueprint.placement.space import SCALE, Space


class Optimum(NamedTuple):
    value: int  # millionths of the fullest host, or hosts in use; -1 when no arrangement takes everybody
    proven: bool


def solve(problem: Problem, policy: Policy, seconds: float) -> Optimum:
    """Groups are not modelled: give it problems without any."""
    space, model = Space(problem), cp_model.CpModel()
    loads: dict[tuple[int, int], list[tuple[int, cp_model.IntVar]]] = {}
    opened = [model.new_bool_var(f"open{h}") for h in range(len(space.hosts))]
    for request in problem.requests:
        shape = space.shape(request)
        counts = []
        for h in shape.pool.hosts:
            count = model.new_int_var(0, len(request.members), f"{request.id}@{h}")
            counts.append(count)
            for k, amount in shape.demand:
                loads.setdefault((h, k), []).append((amount, count))
        model.add(sum(counts) == len(request.members))
    unit = _units(space)
    top = model.new_int_var(0, SCALE, "top")
    for (h, k), terms in loads.items():
        used = sum(amount // unit[k] * count for amount, count in terms)  # bytes times a million leave 64 bits
        cap = space.usable[h][k] // unit[k]
        if policy is Policy.BALANCE:
            model.add(used <= cap)
            if space.is_scored[k]:
                model.add(used * SCALE <= cap * top)
        else:
            model.add(used <= cap * opened[h])
    model.minimize(top if policy is Policy.BALANCE else sum(opened))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = 2
    status = solver.solve(model)
    if status == cp_model.INFEASIBLE:
        return Optimum(-1, proven=True)
    return Optimum(int(solver.objective_value), status == cp_model.OPTIMAL)


def _units(space: Space) -> list[int]:
    """The largest unit in which every amount of a resource is whole."""
    amounts = [{row[k] for row in space.usable} for k in range(len(space.resources))]
    for request in space.problem.requests:
        for k, amount in space.shape(request).demand:
            amounts[k].add(amount)
    return [gcd(*values) or 1 for values in amounts]


def main() -> None:
    policy = Policy(sys.argv[2])
    found = solve(workload.small(int(sys.argv[1]), policy), policy, float(sys.argv[3]))
    print(found.value, "proven" if found.proven else "best")


if __name__ == "__main__":
    main()
