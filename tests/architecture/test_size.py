"""Functions and files are small enough to be read at once."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

REPOSITORY = Path(__file__).parents[2]
ROOTS = ("src/stead", "collections/ansible_collections/stead/cloud/plugins")
LONGEST_FILE, LONGEST_FUNCTION = 320, 60
MEDIAN, PERCENTILE_90 = 8, 20


def _files() -> Iterator[tuple[str, str]]:
    for root in ROOTS:
        for path in sorted((REPOSITORY / root).rglob("*.py")):
            yield str(path.relative_to(REPOSITORY)), path.read_text()


def test_no_file_is_too_long() -> None:
    lines = {name: text.count("\n") for name, text in _files()}
    assert {name: many for name, many in lines.items() if many > LONGEST_FILE} == {}


def test_functions_are_short() -> None:
    functions = {
        f"{name}:{node.lineno} {node.name}": node.end_lineno - node.lineno + 1
        for name, text in _files()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and node.end_lineno
    }
    assert {name: many for name, many in functions.items() if many > LONGEST_FUNCTION} == {}
    assert median(functions.values()) <= MEDIAN
    assert quantiles(functions.values(), n=10)[-1] <= PERCENTILE_90
