"""The benchmark reads other people's files; a file misread would be a number that lies."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "bench" / "placement"))

roadef = pytest.importorskip("roadef")
vbp = pytest.importorskip("vbp")
workload = pytest.importorskip("workload")

VBP = """
2
10 10
3
5 4 2
4 5  2
1 1 2
"""

# One resource, transient; two machines in two locations; one service per process; safety capacity 6 and 6.
MODEL = """
1
1 10
2
0 0 10 6 0 1
0 1 10 6 1 0
3
1 0
1 0
1 0
3
0 4 1
1 4 1
2 1 1
0
1 1 2
"""


def test_a_vbp_file_is_read_as_capacity_and_items() -> None:
    found = vbp.read(VBP)
    assert found.capacity == (10, 10)
    assert found.items == (((5, 4), 2), ((4, 5), 2), ((1, 1), 2))


def test_a_vbp_instance_is_packed_and_set_beside_its_bound(tmp_path: Path) -> None:
    (tmp_path / "one.vbp").write_text(VBP)
    (packed,) = vbp.solve_all(tmp_path)
    assert (packed.name, packed.bins, packed.bound, packed.gap) == ("one.vbp", 2, 2, 0.0)


@pytest.mark.parametrize("text", ["", "2\n10", "1\n10\n2\n5 1\n", "two"])
def test_a_file_that_is_not_vbp_is_refused_by_name(text: str) -> None:
    with pytest.raises(vbp.NotVbpError, match="odd"):
        vbp.read(text, "odd")


def test_a_roadef_model_is_read() -> None:
    model = roadef.read(MODEL)
    assert (model.transient, model.load_weight) == ([True], [10])
    assert (model.capacity, model.safety, model.move_cost) == ([[10], [10]], [[6], [6]], [[0, 1], [1, 0]])
    assert (model.service, model.needs, model.weights) == ([0, 1, 2], [[4], [4], [1]], (1, 1, 2))


def test_roadef_costs_are_the_challenges_own() -> None:
    """Nine on a machine with six safe: three too many, ten each. Moving one process costs 1 + 1 + 2."""
    model = roadef.read(MODEL)
    assert roadef.cost(model, [0, 0, 0], [0, 0, 0]) == 30
    assert roadef.cost(model, [0, 1, 0], [0, 0, 0]) == 4
    assert roadef.lower_bound(model, [0, 0, 0]) == 0


def test_a_roadef_result_that_breaks_a_constraint_is_not_valid() -> None:
    model = roadef.read(MODEL)
    assert roadef.valid(model, [0, 1, 0], [0, 0, 0])
    model.service = [0, 0, 1]
    assert not roadef.valid(model, [0, 0, 1], [0, 0, 0])
    model.service, model.capacity = [0, 1, 2], [[10], [3]]
    assert not roadef.valid(model, [0, 1, 0], [0, 0, 0])


def test_roadef_files_are_improved_within_the_constraints(tmp_path: Path) -> None:
    (tmp_path / "model").write_text(MODEL)
    (tmp_path / "assignment").write_text("0 0 0\n")
    solved = roadef.solve(tmp_path / "model", tmp_path / "assignment")
    assert (solved.before, solved.after, solved.moves, solved.valid) == (30, 4, 1, True)


def test_a_seed_gives_the_same_problem() -> None:
    assert workload.problem(20, 100, 3) == workload.problem(20, 100, 3)
    assert workload.problem(20, 100, 3) != workload.problem(20, 100, 4)
