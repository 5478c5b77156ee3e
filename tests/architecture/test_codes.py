"""Codes of diagnostics are permanent, so each is given once."""

from __future__ import annotations

import ast
import re
import runpy
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "stead"
PLUGINS = ROOT / "collections/ansible_collections/stead/cloud/plugins"
CODE = re.compile(r'\bCode\(\s*"(STEAD-[A-Z][0-9]{3})", "([^"]+)"')


def _given(*folders: Path) -> list[tuple[str, str]]:
    return [
        one for folder in folders for path in sorted(folder.rglob("*.py")) for one in CODE.findall(path.read_text())
    ]


def test_no_code_is_given_twice() -> None:
    """What the planner and a host both refuse is told by both, in the same words."""
    planner, hosts = _given(SOURCE), _given(PLUGINS)
    assert len(planner) > 100
    for found in (planner, hosts, set(planner + hosts)):
        assert [code for code, times in Counter(code for code, _summary in found).items() if times > 1] == []


def _uncoded(path: Path) -> bool:
    """Whether it raises a failure that begins with a text, and not with a code."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    failures = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in FAILURES]
    return any(not ast.unparse(call.args[0]).rpartition(".")[2].isupper() for call in failures if call.args)


FAILURES = frozenset({"Failed", "Broke", "Unwritable"})


def test_every_failure_on_a_host_has_a_code() -> None:
    found = [str(path.relative_to(PLUGINS)) for path in sorted(PLUGINS.rglob("*.py")) if _uncoded(path)]
    assert found == []


def test_every_code_is_met_in_some_test() -> None:
    """By its number, in a test or a case: a mistake that nobody makes there may be told wrongly, or never."""
    codes = {code for code, _summary in _given(SOURCE, PLUGINS)}
    tests = Path(__file__).parent.parent
    met = {
        code
        for path in tests.rglob("*")
        if path.suffix in (".py", ".yml", ".txt", ".scenario")
        for code in re.findall(r"STEAD-[A-Z][0-9]{3}", path.read_text())
    }
    assert sorted(codes - met) == []


def test_the_list_of_diagnostics_is_that_of_the_source() -> None:
    """`scripts/generate` writes it."""
    root = Path(__file__).parents[2]
    made = runpy.run_path(str(root / "scripts" / "diagnostics_page.py"))["page"]()
    assert made == (root / "docs" / "diagnostics.md").read_text()
