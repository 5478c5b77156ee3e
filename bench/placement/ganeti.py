"""Beside Ganeti's htools: evening out with `hbal`, capacity with `hspace`, one checked placement with `hail`.

hbal takes ten minutes for a hundred nodes. What it did with the clusters in `data` is kept beside them, move by move: a
run without `--hbal` takes that, says so, and has both ends, its own and ours, scored anew by `hbal -l 0`.

python bench/placement/ganeti.py NAME     runs hbal to its end on data/NAME.data and keeps that in data/NAME.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import NamedTuple

import htools
from report import Report, seconds, timed

from stead.blueprint.placement import Incremental, Placement, PlacementHost, Problem, Request, capacity, rebalance

DATA = Path(__file__).parent / "data"
CLUSTERS = {
    "even": "flavors of two GiB for a vCPU",
    "mixed": "flavors of one and of two GiB for a vCPU (hbal counts vCPUs four times as much as we do)",
}
NODES, FITTING = 20, 15  # hspace's cluster: how many instances a node takes
GIB = 1024  # MiB
EXACT = 5e-9  # hbal prints eight digits


class Ganeti(NamedTuple):
    """`hbal`: run it anew, to its end. `hail`: CPU seconds it is given."""

    hail: float
    hbal: bool = False
    small: bool = False


def run(report: Report, asked: Ganeti) -> None:
    if not htools.available():
        report.start("Ganeti's htools")
        report.line("not installed", "apt-get install ganeti-htools")
        return
    if asked.small:
        cluster = htools.cluster(20, 200, 0)
        _even_out(report, cluster, CLUSTERS["even"], htools.balance(cluster), "run now")
    else:
        for name, what in CLUSTERS.items():
            cluster = htools.read((DATA / f"{name}.data").read_text())
            theirs, by = (htools.balance(cluster), "run now") if asked.hbal else recorded(name)
            _even_out(report, cluster, what, theirs, by)
    _hspace(report)
    _hail(report, asked)


def recorded(name: str) -> tuple[htools.Balanced, str]:
    kept = json.loads((DATA / f"{name}.json").read_text())
    moves = tuple((instance, node) for instance, _, node in (move.partition(" ") for move in kept["moves"]))
    return htools.Balanced(kept["before"], kept["after"], moves, kept["cpu"]), kept["by"]


def keep(name: str, theirs: htools.Balanced, version: str) -> None:
    kept = {
        "by": f"recorded, {version}, its end scored anew",
        "before": theirs.before,
        "after": theirs.after,
        "cpu": round(theirs.cpu, 1),
        "moves": [" ".join(move) for move in theirs.moves],
    }
    (DATA / f"{name}.json").write_text(json.dumps(kept, indent=1) + "\n")


def _even_out(report: Report, cluster: htools.Cluster, what: str, theirs: htools.Balanced, note: str) -> None:
    """The score is `hbal -l 0`'s, for its end and for ours."""
    problem, placement = htools.problem(cluster)
    size = f"{len(cluster.nodes)} nodes with {len(cluster.instances):,} instances"
    report.start(f"Ganeti's hbal, {size}, {what}")
    report.line("score before", f"{htools.score(cluster, cluster.at):.4f}")
    end = htools.score(cluster, {**cluster.at, **dict(theirs.moves)})
    report.line("hbal", f"{end:.4f} in {len(theirs.moves)} moves, {seconds(theirs.cpu)} CPU", note=note)
    done, cpu, wall = timed(lambda: rebalance(problem, placement, len(theirs.moves), 1))
    after = htools.score(cluster, dict(done.placement.assignment))
    met = after <= end + EXACT and len(done.moves) <= len(theirs.moves)
    report.line("ours", f"{after:.4f} in {len(done.moves)} moves", f"{end:.4f}, {len(theirs.moves)} moves", met=met)
    report.time("our time", cpu, wall, 2.0)


def _hspace(report: Report) -> None:
    """hspace leaves a byte of each node: one of 16 GiB takes 15 instances of one GiB. Ours keeps a GiB back."""
    theirs = htools.hspace(NODES, memory=(FITTING + 1) * GIB, each=GIB, seconds=600)
    hosts = [
        PlacementHost(name=f"n{i:02d}", capacity={"memory": (FITTING + 1) * GIB}, reserved={"memory": GIB})
        for i in range(NODES)
    ]
    flavor = Request(id="one", members=(), demand={"memory": GIB})
    empty = Placement(assignment={}, reasons={})
    found, cpu, wall = timed(lambda: capacity(Problem(hosts=hosts, requests=()), empty, [flavor], survive=1))
    report.start(f"Ganeti's hspace, {NODES} nodes with room for {FITTING} each, any one may fail")
    most = (NODES - 1) * FITTING
    report.line("hspace", str(theirs.instances), note=f"{seconds(theirs.cpu)} CPU")
    ours = found.fits[0].surviving
    value = f"{ours}, {seconds(cpu)} CPU, {seconds(wall)} wall"
    report.line("ours", value, f"{most} = {NODES - 1} x {FITTING}", met=ours == most == theirs.instances)


def _hail(report: Report, asked: Ganeti) -> None:
    """The cluster is even: hbal's is too uneven for N+1, and hail would only say so."""
    nodes, instances = (100, 1_000) if asked.small else (1_000, 10_000)
    cluster = htools.cluster(nodes, instances, 0)
    cluster = cluster._replace(at={name: cluster.nodes[i % nodes] for i, name in enumerate(sorted(cluster.instances))})
    report.start(f"Ganeti's hail, one more on {nodes:,} nodes with {instances:,} instances, any one may fail")
    size = (2_048, 20_480, 2)
    where, theirs = htools.hail(cluster, size, asked.hail)
    told = f"{seconds(theirs)} CPU" if where else f"no answer in {seconds(theirs)} CPU"
    report.line("hail", told, note=where or f"it was given {seconds(asked.hail)} of CPU")
    problem, placement = htools.problem(cluster)
    demand = {"memory": size[0], "vcpus": size[2]}
    more = [Request(id=f"w{i}", members=(f"w{i}",), demand=demand) for i in range(21)]

    def anew() -> tuple[Incremental, dict[str, str]]:
        warm = Incremental(problem, placement)
        return warm, warm.add_surviving(more[0])

    (warm, at), *cold = min((timed(anew) for _ in range(3)), key=lambda one: one[1])
    found, cpu, wall = timed(lambda: [warm.add_surviving(one) for one in more[1:]])
    placed = f"on {next(iter(at.values()), 'no host')}"
    report.time("ours, the cluster read anew", cold[0], cold[1], 0.1, f"{placed}; the best of three")
    sat = sum(1 for one in found if one)
    report.time("ours, warm", cpu / 20, wall / 20, 0.1, f"mean of 20 after the first, {sat} of them placed")


if __name__ == "__main__":
    keep(sys.argv[1], htools.balance(htools.read((DATA / f"{sys.argv[1]}.data").read_text())), htools.version())
