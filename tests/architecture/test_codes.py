"""Codes of diagnostics are permanent, so each is given once."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

SOURCE = Path(__file__).parent.parent.parent / "src" / "stead"
CODE = re.compile(r'\bCode\(\s*"(STEAD-[A-Z][0-9]{3})"')


def test_no_code_is_given_twice() -> None:
    found = [code for path in SOURCE.rglob("*.py") for code in CODE.findall(path.read_text())]
    assert len(found) > 100
    assert [code for code, times in Counter(found).items() if times > 1] == []
