"""The benchmark reads other people's files; a file misread would be a number that lies."""

from __future__ import annotations

import importlib
import random
import sys
from pathlib import Path

import pytest

from stead.blueprint.placement import place

sys.path.insert(0, str(Path(__file__).parents[3] / "bench" / "placement"))

roadef = importlib.import_module("roadef")
vbp = importlib.import_module("vbp")
workload = importlib.import_module("workload")

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


def test_the_other_layouts_of_vbp_are_read() -> None:
    """An item per line; and one dimension as a count, a capacity and sizes."""
    assert vbp.read("2\n10 10\n3\n5 4  # large\n5 4\n1 1\n").items == (((5, 4), 2), ((1, 1), 1))
    found = vbp.read("4\n10\n6\n4\n6\n4\n")
    assert (found.capacity, found.items) == ((10,), (((6,), 2), ((4,), 2)))


def triplets(bins: int, seed: int) -> str:
    """Falkenauer's: three items fill a bin exactly, and the optimum is known."""
    rng = random.Random(seed)  # noqa: S311 - a made-up instance
    sizes: list[int] = []
    for _ in range(bins):
        first = rng.randint(380, 490)
        second = rng.randint(250, (1000 - first) // 2)
        sizes += [first, second, 1000 - first - second]
    rng.shuffle(sizes)
    return "\n".join(map(str, (len(sizes), 1000, *sizes)))


@pytest.mark.parametrize(("bins", "most"), [(20, 21), (40, 42), (83, 86)])
def test_triplets_are_packed_near_their_known_optimum(bins: int, most: int) -> None:
    instance = vbp.read(triplets(bins, bins))
    assert vbp.bound(instance) == bins
    placed = place(vbp.problem(instance))
    assert not placed.unplaced
    assert bins <= len(set(placed.assignment.values())) <= most


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2\n10",
        "1\n10\n2\n5 1 3\n",
        "two",
        "1\n10\n0",
        "2\n10 10\n1\n-5 3 2\n",
        "2\n10 10\n1\n5 3 -2\n",
        "2\n10 10\n2\n11 1 1\n1 1 2\n",
    ],
)
def test_a_file_that_is_not_vbp_is_refused_by_name(text: str) -> None:
    with pytest.raises(vbp.NotVbpError, match="odd"):
        vbp.read(text, "odd")


def test_one_file_that_is_not_vbp_keeps_none_from_being_solved(tmp_path: Path) -> None:
    (tmp_path / "a.vbp").write_bytes(b"\xff\xfe")
    (tmp_path / "b.vbp").write_text(VBP)
    first, second = vbp.solve_all(tmp_path)
    assert "a.vbp: cannot be read" in str(first)
    assert second.bins == 2


@pytest.mark.parametrize(
    ("model", "assignment", "why"),
    [
        (MODEL[:40], "0 0 0", "model: the file ends after"),
        (MODEL + "7", "0 0 0", "model: there are 1 numbers after the end"),
        (MODEL.replace("10", "ten", 1), "0 0 0", "model: number 3 is 'ten', which is none"),
        (MODEL, "0 0", "assignment: the file ends after 2 numbers"),
        (MODEL, "", "assignment: the file ends after 0 numbers"),
        (MODEL, "0 0 0 0", "assignment: there are 1 numbers after the end"),
        (MODEL, "0 0 9", "assignment: number 3 is machine 9, and there are 2"),
        (MODEL.replace("2 1 1", "0 1 1"), "0 0 0", "assignment: this assignment breaks a rule to begin with"),
    ],
)
def test_a_file_that_is_not_roadef_is_refused_by_name(tmp_path: Path, model: str, assignment: str, why: str) -> None:
    (tmp_path / "model").write_text(model)
    (tmp_path / "assignment").write_text(assignment)
    with pytest.raises(roadef.NotRoadefError, match=why):
        roadef.solve(tmp_path / "model", tmp_path / "assignment")


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
