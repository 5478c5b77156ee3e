"""A parsed command line ends in the `run` of a command or subcommand: from there on there are values."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src/stead"
READERS = "cli/common/options.py"  # where the options are declared
PARSED = "argparse.Namespace"


def _files() -> Iterator[Path]:
    return (path for path in sorted(SOURCE.rglob("*.py")) if PARSED in path.read_text(encoding="utf-8"))


def _taking(tree: ast.Module) -> Iterator[str]:
    """Functions of a module that take one, those inside them left out."""
    for node in tree.body:
        for one in ast.walk(node):
            if isinstance(one, ast.FunctionDef) and PARSED in ast.unparse(one.args):
                yield node.name if isinstance(node, ast.FunctionDef | ast.ClassDef) else one.name
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == PARSED:
            yield f"line {call.lineno} makes one"


def _subcommands(tree: ast.Module) -> set[str]:
    """Whatever stands in the table of a command's subcommands."""
    tables = [
        node.value
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and node.value is not None and ast.unparse(node.target) == "SUBCOMMANDS"
    ]
    return {one.id for table in tables for one in ast.walk(table) if isinstance(one, ast.Name)}


@pytest.mark.parametrize("path", list(_files()), ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_command_line_goes_no_further_than_run(path: Path) -> None:
    inside, tree = str(path.relative_to(SOURCE)), ast.parse(path.read_text(encoding="utf-8"))
    if inside == READERS:
        return
    assert inside.startswith("cli/commands/")
    assert set(_taking(tree)) <= {"run"} | _subcommands(tree)
