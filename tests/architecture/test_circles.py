"""No module needs itself by way of others. What a function imports counts; what only types name does not."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "src"
# Still to be untied, each as the one import that is taken out. The list only shrinks.
TIED = {
    # An expression of Heat may be a whole template, whose expressions are read by the same functions.
    ("stead.heat.functions", "stead.heat.types.nested"),
    ("stead.heat.naming", "stead.heat.types.nested"),
    ("stead.heat.stack", "stead.heat.functions"),
    ("stead.language.reading.models", "stead.language.reading.elsewhere"),
}


def _modules() -> dict[str, Path]:
    named = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in ROOT.rglob("*.py")}
    return {name.removesuffix(".__init__"): path for name, path in named.items()}


def _imports(node: ast.AST) -> Iterator[str]:
    for one in ast.iter_child_nodes(node):
        if isinstance(one, ast.If) and "TYPE_CHECKING" in ast.unparse(one.test):
            continue
        if isinstance(one, ast.Import):
            yield from (alias.name for alias in one.names)
        elif isinstance(one, ast.ImportFrom):
            yield from (f"{one.module}.{alias.name}" for alias in one.names)
        yield from _imports(one)


@cache
def _all_needs() -> Mapping[str, frozenset[str]]:
    """A package may show what is in it: that its modules import it is no circle."""
    modules = _modules()
    needs: dict[str, frozenset[str]] = {}
    for name, path in modules.items():
        named = {one if one in modules else one.rpartition(".")[0] for one in _imports(ast.parse(path.read_text()))}
        inside = f"{name}." if path.name == "__init__.py" else "\0"
        needs[name] = frozenset(one for one in named & modules.keys() if one != name and not one.startswith(inside))
    return needs


def _needs() -> dict[str, set[str]]:
    return {name: set(others) for name, others in _all_needs().items()}


def test_no_module_needs_itself() -> None:
    needs = _needs()
    for one, other in TIED:
        needs[one].remove(other)  # taken off the list when it is no longer there
    TopologicalSorter(needs).prepare()


@pytest.mark.parametrize("tied", sorted(TIED), ids=" needs ".join)
def test_what_is_still_tied_is_a_circle(tied: tuple[str, str]) -> None:
    needs = _needs()
    for one, other in TIED - {tied}:
        needs[one].discard(other)
    with pytest.raises(CycleError):
        TopologicalSorter(needs).prepare()
