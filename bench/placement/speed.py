"""How long our answers take: a cold placement, what comes after it, and questions about it."""

from __future__ import annotations

import random

import workload
from report import Report, timed

from stead.blueprint.placement import (
    Evaluation,
    Incremental,
    Placement,
    Problem,
    Request,
    explain,
    failure_analysis,
    place,
    rebalance,
    suggest,
)
from stead.core.value import replace

GIB = 1 << 30
ONE = {"vcpus": 2, "memory": 4 * GIB, "disk:local": 10 * GIB}


def run(report: Report, hosts: int, instances: int, moves: int, seed: int) -> None:
    problem = workload.problem(hosts, instances, seed)
    report.start(f"speed, seed {seed}: {instances:,} instances on {hosts:,} hosts")
    placement, cpu, wall = timed(lambda: place(problem))
    report.time("cold placement", cpu, wall, 3.0, f"{len(placement.assignment):,} placed")
    unplaced(report, placement)
    _warm(report, problem, placement)
    _churn(report, problem, placement, seed)
    found, cpu, wall = timed(lambda: failure_analysis(problem, placement, 1))
    report.time("every host failing in turn", cpu, wall, 6.0, f"{found.hurting:,} of {found.tried:,} hurt somebody")
    _failure(report, problem, placement)
    done, cpu, wall = timed(lambda: rebalance(problem, placement, moves, 1))
    report.time(f"{len(done.moves):,} rebalancing moves", cpu, wall, 10.0, done.text)


def unplaced(report: Report, placement: Placement) -> None:
    """Nobody is left out in vain: how many are, and what proves that no arrangement takes them."""
    left = sum(len(one.members) for one in placement.unplaced)
    unproven = sum(len(one.members) for one in placement.unplaced if not one.proven)
    value = f"{left}, of them {left - unproven} proven" if left else "0"
    report.line("unplaced", value, "none unproven", met=not unproven)
    for one in placement.unplaced:
        proof = "proven" if one.proven else "NOT PROVEN"
        report.line(f"  {len(one.members)} of {one.request}", proof, note=f"{one.code}: {one.text}")


def _warm(report: Report, problem: Problem, placement: Placement) -> None:
    warm = Incremental(problem, placement)
    warm.add(Request(id="first", members=("first",), demand=ONE))
    _, cpu, wall = timed(lambda: [warm.add(Request(id=f"w{i}", members=(f"w{i}",), demand=ONE)) for i in range(100)])
    report.time("one more instance, warm", cpu / 100, wall / 100, 0.001, "mean of 100 after the first of its shape")


def _churn(report: Report, problem: Problem, placement: Placement, seed: int) -> None:
    members = sorted(placement.assignment)
    gone = set(random.Random(seed).sample(members, len(members) // 100))
    current = {member: host for member, host in placement.assignment.items() if member not in gone}
    asked = replace(problem, current=current)
    after, cpu, wall = timed(lambda: place(asked))
    report.time("1 % churn", cpu, wall, 0.5, f"{len(gone):,} anew, {len(after.moves)} unchanged instances moved")


def _failure(report: Report, problem: Problem, placement: Placement) -> None:
    demand = {**ONE, "memory": 4096 * GIB}
    impossible = Request(
        id="huge", members=("huge",), demand=demand, zones=frozenset({"b"}), required=frozenset({"gpu"})
    )
    asked = replace(problem, requests=[*problem.requests, impossible], current=placement.assignment)
    evaluation = Evaluation(asked, place(asked))
    for what, note in (
        ("a failure explained", "the first, which lists all members"),
        ("another", "of the same placement"),
    ):
        _, cpu, wall = timed(lambda: explain(asked, evaluation.placement, "huge", evaluation=evaluation))
        report.time(what, cpu, wall, 0.01, note)
    advice, cpu, wall = timed(lambda: suggest(asked, evaluation.placement, "huge", evaluation=evaluation))
    report.time("and what would help", cpu, wall, 0.01, str(advice.suggestions[0]))
