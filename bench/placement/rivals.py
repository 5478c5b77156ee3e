"""Beside Nova's filter and weigh, in placements a second, and beside CP-SAT's optimum on cases it can prove."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import nova
import quality
import workload
from report import Report, timed

from stead.blueprint.placement import Policy, place
from stead.blueprint.placement.space import SCALE
from stead.core.value import replace

TIMES = 1_000
ABOVE = 0.02


def against_nova(report: Report, asked: int) -> None:
    """By its own rule, which is `nova` here, and by our default, which shares out and evens out what that one does not.

    The best of three of ours: the first pays for what is imported.
    """
    problem = workload.problem(1_000, 10_000, 0)
    report.start("Nova's filter and weigh, 1,000 hosts")
    run, cpu, _ = timed(lambda: nova.place(problem, asked))
    theirs = run.asked / cpu
    report.line("Nova", f"{theirs:,.0f}/s", note=f"{run.placed:,} of {run.asked:,} placed")
    for policy in (Policy.NOVA, Policy.BALANCE):
        ruled = replace(problem, policy=policy)
        ours = 10_000 / min(timed(lambda p=ruled: place(p))[1] for _ in range(3))  # type: ignore[misc]
        value = f"{ours:,.0f}/s: {ours / theirs:,.0f} times"
        report.line(f"ours by {policy.value}", value, f"{TIMES:,} times", met=ours >= TIMES * theirs)


def against_cpsat(report: Report, cases: int, limit: int) -> None:
    report.start("OR-Tools CP-SAT, ten hosts with sixty instances")
    if find_spec("ortools") is None:
        report.line("not installed", "pip install ortools")
        return
    for policy in (Policy.BALANCE, Policy.PACK):
        found = list(_gaps(policy, cases, limit))
        proven = [gap for gap, was in found if was]
        worst = max((gap for gap, _ in found), default=0.0)
        same = sum(1 for gap in proven if gap <= 0)
        note = f"{len(proven)} of {cases} proven, {same} of them met exactly"
        report.line(
            f"{policy.value}, worst of {cases}", f"{worst:+.2%}", f"within {ABOVE:.0%}", met=worst <= ABOVE, note=note
        )


def _gaps(policy: Policy, cases: int, limit: int) -> Iterator[tuple[float, bool]]:
    """How far above CP-SAT's value ours is, and whether that value was proven to be the least.

    Where CP-SAT proves that not everybody has room, ours has to have proven it as well.
    """
    for seed in range(cases):
        value, proven = optimum(seed, policy, limit)
        problem = workload.small(seed, policy)
        placement = place(problem)
        if value < 0 or placement.unplaced:
            same = value < 0 and all(one.proven for one in placement.unplaced)
            yield 0.0 if same else 1.0, proven
            continue
        got = quality.fullest(problem, placement) * SCALE - 1 if policy is Policy.BALANCE else quality.used(placement)
        yield max(0.0, got / value - 1), proven


def optimum(seed: int, policy: Policy, limit: int) -> tuple[int, bool]:
    """In a process of its own: OR-Tools and highspy bring libraries that do not load side by side."""
    command = [sys.executable, str(Path(__file__).parent / "cpsat.py"), str(seed), policy.value, str(limit)]
    value, proven = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return int(value), proven == "proven"
