"""Every number of the placement targets, from one run: time in CPU seconds, quality beside a bound, peers beside us.

python bench/placement/bench.py --quick              under a minute
python bench/placement/bench.py                      five seeds, full sizes, peers with their own time
python bench/placement/bench.py --vbp DIR            vector bin packing files
python bench/placement/bench.py --roadef MODEL ASSIGNMENT
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple, TypeVar

import bounds
import htools
import nova
import patterns
import roadef
import vbp
import workload

from stead.blueprint.placement import (
    Host,
    Placement,
    Policy,
    Problem,
    Request,
    Scene,
    Warm,
    capacity,
    explain,
    place,
    rebalance,
    suggest,
    survive,
)

T = TypeVar("T")
GIB = 1 << 30
ONE = {"vcpus": 2, "memory": 4 * GIB, "disk:local": 10 * GIB}


class Size(NamedTuple):
    hosts: int
    instances: int
    seeds: int
    quality: tuple[int, ...]
    moves: int
    ganeti: tuple[int, int]
    hail: tuple[int, int]
    peer_seconds: int


FULL = Size(10_000, 100_000, 5, (1_000, 10_000), 5_000, (100, 1_000), (1_000, 10_000), 600)
QUICK = Size(1_000, 10_000, 2, (1_000,), 500, (20, 200), (100, 1_000), 20)


def timed(work: Callable[[], T]) -> tuple[T, float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return result, time.process_time() - cpu, time.perf_counter() - wall


def line(name: str, cpu: float, wall: float, target: str, note: str = "") -> None:
    print(f"  {name:<34} {_seconds(cpu)} CPU {_seconds(wall)} wall   target {target:<8} {note}", flush=True)


def _seconds(value: float) -> str:
    return f"{value * 1000:8.2f} ms" if value < 1 else f"{value:8.2f} s "


def speed(size: Size) -> None:
    for seed in range(size.seeds):
        problem = workload.problem(size.hosts, size.instances, seed)
        print(f"speed, seed {seed}: {size.instances} instances on {size.hosts} hosts")
        placement, cpu, wall = timed(lambda p=problem: place(p))  # type: ignore[misc]
        left = sum(len(one.members) for one in placement.unplaced)
        proven = sum(len(one.members) for one in placement.unplaced if one.proven)
        line("cold placement", cpu, wall, "3 s", f"unplaced {left}, of them proven {proven}")
        _warm(problem, placement)
        _churn(problem, placement, seed)
        found, cpu, wall = timed(lambda p=problem, q=placement: survive(p, q, 1))  # type: ignore[misc]
        line("every host failing in turn", cpu, wall, "6 s", f"{found.hurting} of {found.tried} hurt somebody")
        _failure(problem, placement)
        done, cpu, wall = timed(lambda p=problem, q=placement: rebalance(p, q, size.moves, 1))  # type: ignore[misc]
        line(f"rebalance, {len(done.moves)} moves", cpu, wall, "10 s", done.text)


def _warm(problem: Problem, placement: Placement) -> None:
    warm = Warm(problem, placement)
    warm.add(Request(id="first", members=("first",), demand=ONE))
    _, cpu, wall = timed(lambda: [warm.add(Request(id=f"w{i}", members=(f"w{i}",), demand=ONE)) for i in range(100)])
    line("one more instance, warm", cpu / 100, wall / 100, "1 ms", "mean of 100 after the first of its shape")
    warm.add_surviving(Request(id="n", members=("n",), demand=ONE))
    work = [Request(id=f"n{i}", members=(f"n{i}",), demand=ONE) for i in range(20)]
    _, cpu, wall = timed(lambda: [warm.add_surviving(one) for one in work])
    line("one more with N+1 checked, warm", cpu / 20, wall / 20, "100 ms", "at 1,000 hosts with 10,000 instances")


def _churn(problem: Problem, placement: Placement, seed: int) -> None:
    members = sorted(placement.assignment)
    gone = set(random.Random(seed).sample(members, len(members) // 100))
    current = {member: host for member, host in placement.assignment.items() if member not in gone}
    asked = replace(problem, current=current)
    after, cpu, wall = timed(lambda: place(asked))
    line("1 % churn", cpu, wall, "500 ms", f"{len(after.moves)} unchanged instances moved")


def _failure(problem: Problem, placement: Placement) -> None:
    demand = {**ONE, "memory": 4096 * GIB}
    impossible = Request(
        id="huge", members=("huge",), demand=demand, zones=frozenset({"b"}), required=frozenset({"gpu"})
    )
    asked = replace(problem, requests=[*problem.requests, impossible], current=placement.assignment)
    scene = Scene(asked, place(asked))
    suggest(asked, scene.placement, "huge", scene=scene)
    _, cpu, wall = timed(lambda: explain(asked, scene.placement, "huge", scene=scene))
    line("a failure explained", cpu, wall, "10 ms")
    advice, cpu, wall = timed(lambda: suggest(asked, scene.placement, "huge", scene=scene))
    line("and what would help", cpu, wall, "10 ms", str(advice.suggestions[0]))


def quality(size: Size) -> None:
    print("quality beside a linear program's bound: over fractions of instances, or over patterns of whole ones where")
    print("the first does not settle it (no groups in either: the optimum may be worse than both)")
    for hosts in size.quality:
        for seed in range(size.seeds):
            for policy in (Policy.BALANCE, Policy.PACK):
                if policy is Policy.BALANCE and hosts > 1_000:
                    continue
                _quality(hosts, seed, policy)


def _quality(hosts: int, seed: int, policy: Policy) -> None:
    problem = workload.problem(hosts, hosts * 10, seed, policy, soft=False)
    placement, cpu, _ = timed(lambda: place(problem))
    even = policy is Policy.BALANCE
    got = fullest(problem, placement) if even else float(len(set(placement.assignment.values())))
    least, target, by = (
        bounds.balance_bound(problem) if even else float(bounds.pack_bound(problem)),
        0.03 if even else 0.04,
        "fractions",
    )
    if got / least - 1 > target:
        least = patterns.balance_bound(problem, least, got) if even else float(max(least, patterns.pack_bound(problem)))
        by = "patterns"
    left = sum(len(one.members) for one in placement.unplaced)
    figures = f"{got:10.4g} bound {least:10.4g} ({by}) gap {got / least - 1:6.1%} target {target:.0%}"
    print(f"  {policy.value:<8}{hosts:>6} hosts, seed {seed}: {figures}, unplaced {left}, {cpu:.2f} CPU-s", flush=True)


def fullest(problem: Problem, placement: Placement) -> float:
    return max(Scene(problem, placement).state.level)


def against_nova(size: Size) -> None:
    """By its own rule, which is `nova` here, and by our default, which shares out and evens out what that one does not.

    The best of three of ours: the first pays for what is imported.
    """
    problem = workload.problem(1_000, 10_000, 0)
    asked = 100 if size is QUICK else 1_000
    theirs = asked / timed(lambda: nova.place(problem, asked))[1]
    for policy in (Policy.NOVA, Policy.BALANCE):
        ruled = replace(problem, policy=policy)
        ours = 10_000 / min(timed(lambda p=ruled: place(p))[1] for _ in range(3))  # type: ignore[misc]
        rates = f"{ours:,.0f}/s by {policy.value} against {theirs:,.0f}/s"
        print(
            f"Nova's filter and weigh, 1,000 hosts: {rates}: {ours / theirs:,.0f} times (aim: 1,000 times)", flush=True
        )


def against_ganeti(size: Size) -> None:
    if not htools.available():
        print("Ganeti's htools: not installed (apt-get install ganeti-htools)")
        return
    _hbal(size)
    _hspace(size)
    _hail(size)


def _hbal(size: Size) -> None:
    nodes, instances = size.ganeti
    cluster = htools.cluster(nodes, instances, 0)
    theirs = htools.balance(cluster, size.peer_seconds)
    problem, placement = htools.problem(cluster)
    done, cpu, _ = timed(lambda: rebalance(problem, placement, theirs.moves, 1))
    after = htools.score(cluster, dict(done.placement.assignment))
    end = "" if theirs.done else f", and not done in {size.peer_seconds} s"
    print(f"hbal, {nodes} nodes with {instances} instances, its score {theirs.before:.3f} before:")
    print(f"  hbal {theirs.after:.3f} in {theirs.moves} moves, {theirs.cpu:.1f} CPU-s{end}")
    print(f"  ours {after:.3f} in {len(done.moves)} moves, {cpu:.2f} CPU-s (by hbal -l 0)", flush=True)


def _hspace(size: Size) -> None:
    theirs = htools.hspace(20, memory=15 * 1024 + 512, each=1024, seconds=size.peer_seconds)
    hosts = [Host(name=f"n{i:02d}", capacity={"memory": 15}) for i in range(20)]
    flavor = Request(id="one", members=(), demand={"memory": 1})
    found, cpu, _ = timed(lambda: capacity(Problem(hosts=hosts, requests=()), EMPTY, [flavor], survive=1))
    print(f"hspace, 20 nodes with room for 15 each, any one may fail: {theirs.instances}, {theirs.cpu:.2f} CPU-s")
    print(f"  ours {found.fits[0].surviving}, {cpu:.2f} CPU-s; no more is possible than 285 = 19 x 15", flush=True)


def _hail(size: Size) -> None:
    """The cluster is even: hbal's is too uneven for N+1, and hail would only say so."""
    nodes, instances = size.hail
    cluster = htools.cluster(nodes, instances, 0)
    cluster = cluster._replace(at={name: cluster.nodes[i % nodes] for i, name in enumerate(sorted(cluster.instances))})
    where, theirs = htools.hail(cluster, (2_048, 20_480, 2), size.peer_seconds)
    answer = f"{where or 'no answer'}, {theirs:.1f} CPU-s" + ("" if where else f" in {size.peer_seconds} s")
    problem, placement = htools.problem(cluster)
    warm, first, _ = timed(lambda: Warm(problem, placement))
    asked = [
        Request(id=f"w{i}", members=(f"w{i}",), demand={"memory": 2_048, "disk:ext": 20_480, "vcpus": 2})
        for i in range(21)
    ]
    at, cold, _ = timed(lambda: warm.add_surviving(asked[0]))
    _, cpu, _ = timed(lambda: [warm.add_surviving(one) for one in asked[1:]])
    print(f"hail, one more on {nodes} nodes with {instances} instances, any one may fail: {answer}")
    ours = f"{first + cold:.2f} CPU-s from cold, {cpu / 20 * 1000:.2f} ms each when warm (target 100 ms)"
    print(f"  ours {next(iter(at.values()), 'nowhere')}, {ours}", flush=True)


EMPTY = Placement(assignment={}, reasons={})


def against_cpsat(size: Size) -> None:
    if find_spec("ortools") is None:
        print("OR-Tools CP-SAT: not installed (pip install ortools)")
        return
    for policy in (Policy.BALANCE, Policy.PACK):
        gaps = []
        for seed in range(2 if size is QUICK else 10):
            problem = workload.small(seed, policy)
            value, proven = optimum(seed, policy, 5 if size is QUICK else 30)
            placement = place(problem)
            got = fullest(problem, placement) * 1_000_000
            got = got if policy is Policy.BALANCE else float(len(set(placement.assignment.values())))
            gap = f"{got / value - 1:.1%}" if value else "exact" if got == value else f"{got} where 0 is best"
            gaps.append(f"{gap}{'' if proven else ' (not proven)'}")
        print(f"CP-SAT on small cases, {policy.value}: above its optimum by {', '.join(gaps)} (target 2 %)", flush=True)


def optimum(seed: int, policy: Policy, seconds: int) -> tuple[int, bool]:
    """In a process of its own: OR-Tools and highspy bring libraries that do not load side by side."""
    command = [sys.executable, str(Path(__file__).parent / "cpsat.py"), str(seed), policy.value, str(seconds)]
    value, proven = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return int(value), proven == "proven"


def files(folder: Path | None, pair: list[Path] | None) -> None:
    for packed in vbp.solve_all(folder) if folder else ():
        figures = f"{packed.bins} bins, bound {packed.bound}, gap {packed.gap:.1%}, {packed.seconds:.2f} CPU-s"
        print(f"{packed.name}: {figures}")
    if pair:
        solved = roadef.solve(pair[0], pair[1])
        gap = f"gap {solved.after / solved.bound - 1:.1%}" if solved.bound else "no gap to a bound of nothing"
        costs = f"cost {solved.before} -> {solved.after} in {solved.moves} moves, bound {solved.bound}, {gap}"
        print(f"{solved.name}: {costs}, {'valid' if solved.valid else 'NOT VALID'}, {solved.seconds:.2f} CPU-s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes, two seeds")
    parser.add_argument("--vbp", type=Path, metavar="DIR")
    parser.add_argument("--roadef", type=Path, nargs=2, metavar=("MODEL", "ASSIGNMENT"))
    options = parser.parse_args()
    if options.vbp or options.roadef:
        files(options.vbp, options.roadef)
        return
    size = QUICK if options.quick else FULL
    speed(size)
    quality(size)
    against_nova(size)
    against_ganeti(size)
    against_cpsat(size)


if __name__ == "__main__":
    main()
