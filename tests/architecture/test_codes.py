"""Codes of diagnostics are permanent, so each is given once."""

from __future__ import annotations

import re
import runpy
from collections import Counter
from pathlib import Path

SOURCE = Path(__file__).parent.parent.parent / "src" / "stead"
CODE = re.compile(r'\bCode\(\s*"(STEAD-[A-Z][0-9]{3})"')


def test_no_code_is_given_twice() -> None:
    found = [code for path in SOURCE.rglob("*.py") for code in CODE.findall(path.read_text())]
    assert len(found) > 100
    assert [code for code, times in Counter(found).items() if times > 1] == []


def test_every_code_is_met_in_some_test() -> None:
    """By its number, in a test or a case: a mistake that nobody makes there may be told wrongly, or never."""
    codes = {code for path in SOURCE.rglob("*.py") for code in CODE.findall(path.read_text())}
    tests = Path(__file__).parent.parent
    met = {
        code
        for path in tests.rglob("*")
        if path.suffix in (".py", ".yml", ".scenario")
        for code in re.findall(r"STEAD-[A-Z][0-9]{3}", path.read_text())
    }
    assert sorted(codes - met) == []


def test_the_list_of_diagnostics_is_that_of_the_source() -> None:
    """`scripts/generate` writes it."""
    root = Path(__file__).parents[2]
    made = runpy.run_path(str(root / "scripts" / "diagnostics_page.py"))["page"]()
    assert made == (root / "docs" / "diagnostics.md").read_text()
