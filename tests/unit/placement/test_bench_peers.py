"""The peers of the benchmark: a straw man, or a record that does not fit its cluster, would be a number that lies."""

from __future__ import annotations

import statistics
import sys
from pathlib import Path
from typing import Any

import pytest

from stead.blueprint.placement import GroupKind, PlacementGroup, PlacementHost, Problem, Request, rebalance
from stead.core.value import replace

BENCH = Path(__file__).parents[3] / "bench" / "placement"
sys.path.insert(0, str(BENCH))

ganeti = pytest.importorskip("ganeti")
htools = pytest.importorskip("htools")
nova = pytest.importorskip("nova")
report = pytest.importorskip("report")
roadef = pytest.importorskip("roadef")
vbp = pytest.importorskip("vbp")
workload = pytest.importorskip("workload")

GIB = 1 << 30


def host(name: str, memory: int, **more: object) -> PlacementHost:
    capacity = {"vcpus": 16, "memory": memory * GIB, "disk:local": 100 * GIB}
    return replace(PlacementHost(name=name, capacity=capacity), **more)


def request(name: str, count: int, **more: object) -> Request:
    demand = {"vcpus": 1, "memory": GIB, "disk:local": GIB}
    return replace(Request(id=name, members=tuple(f"{name}{i}" for i in range(count)), demand=demand), **more)


def at(problem: Problem) -> dict[str, str]:
    scheduler = nova.Scheduler(problem)
    for one in problem.requests:
        scheduler.schedule(scheduler.spec(one, one.members))
    return {name: view.host for view in scheduler.views for name in view.instances}


def test_nova_takes_the_host_with_most_left() -> None:
    hosts = [host("small", 8), host("large", 32), host("middle", 16)]
    assert at(Problem(hosts=hosts, requests=[request("a", 1)])) == {"a0": "large"}


def test_nova_keeps_to_traits_zones_and_groups() -> None:
    hosts = [host("a", 64, zone="x"), host("b", 8, zone="y", traits=frozenset({"ssd"})), host("c", 8, zone="y")]
    spread = (PlacementGroup(name="g", kind=GroupKind.SPREAD),)
    together = (PlacementGroup(name="t", kind=GroupKind.TOGETHER),)
    asked = [
        request("ssd", 1, required=frozenset({"ssd"})),
        request("not", 1, forbidden=frozenset({"ssd"}), zones=frozenset({"y"})),
        request("apart", 3, groups=spread),
        request("close", 2, groups=together, zones=frozenset({"y"})),
    ]
    found = at(Problem(hosts=hosts, requests=asked))
    assert (found["ssd0"], found["not0"]) == ("b", "c")
    assert {found[f"apart{i}"] for i in range(3)} == {"a", "b", "c"}
    assert found["close0"] == found["close1"] != "a"


def test_nova_never_gives_away_what_is_not_there() -> None:
    problem = Problem(hosts=[host("a", 2), host("b", 3)], requests=[request("many", 9)])
    assert nova.place(problem, 9) == (9, 5)


def test_a_cluster_is_read_as_it_was_written() -> None:
    cluster = htools.cluster(5, 20, 1)
    assert htools.read(htools.text(cluster, cluster.at)) == cluster


def score(cluster: Any, where: dict[str, str]) -> float:
    """hbal's, where memory and vCPUs are all that differs: how unlike the nodes are in either."""
    free = dict.fromkeys(cluster.nodes, cluster.memory - htools.RESERVED)
    vcpus = dict.fromkeys(cluster.nodes, 0)
    for name, size in cluster.instances.items():
        free[where[name]] -= size[0]
        vcpus[where[name]] += size[2]
    memory: float = statistics.pstdev(one / cluster.memory for one in free.values())
    busy: float = statistics.pstdev(one / htools.CPUS for one in vcpus.values())
    return memory + busy


@pytest.mark.parametrize("name", ganeti.CLUSTERS)
def test_what_hbal_did_is_kept_with_its_cluster(name: str) -> None:
    cluster = htools.read((BENCH / "data" / f"{name}.data").read_text())
    theirs, _ = ganeti.recorded(name)
    end = {**cluster.at, **dict(theirs.moves)}
    assert score(cluster, cluster.at) == pytest.approx(theirs.before, abs=1e-6)
    assert score(cluster, end) == pytest.approx(theirs.after, abs=1e-6)


def test_ours_is_as_even_as_hbal_in_no_more_moves() -> None:
    cluster = htools.read((BENCH / "data" / "even.data").read_text())
    theirs, _ = ganeti.recorded("even")
    problem, placement = htools.problem(cluster)
    done = rebalance(problem, placement, len(theirs.moves), 1)
    assert len(done.moves) <= len(theirs.moves)
    assert score(cluster, dict(done.placement.assignment)) <= theirs.after + 1e-6


def test_hbal_is_understood_line_by_line() -> None:
    said = "   79. inst00233 node022         => node085           0.10280058 a=fa:node085\nSolution length=79\n"
    assert htools.listed(said) == [("inst00233", "node085", 0.10280058)]


def test_the_samples_are_solved_within_their_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vbp, "SECONDS", 0.1)
    packed = {one.name: one for one in vbp.solve_all(BENCH / "samples")}
    assert packed["triplets.vbp"].bound == 40
    assert all(one.bound <= one.bins and one.gap <= 0.1 for one in packed.values())
    solved = roadef.solve(BENCH / "samples" / "model_sample.txt", BENCH / "samples" / "assignment_sample.txt")
    assert solved.valid
    assert solved.bound <= solved.after < solved.before


def test_a_missed_aim_is_told_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    lines = report.Report()
    lines.start("speed")
    lines.time("cold", 2.0, 2.5, 3.0)
    lines.line("for information", "7")
    assert lines.end()
    lines.time("warm", 0.002, 0.002, 0.001)
    assert not lines.end()
    assert "MISS  speed: warm: 2 ms CPU, 2 ms wall, aim at most 1 ms" in capsys.readouterr().out
    assert "| warm | 2 ms CPU, 2 ms wall | at most 1 ms | MISS |" in lines.table()
