"""The cases of `tests/cases/<kind>/rules.yml`: a spec, and all that the rules say of it.

Each saying is `line:column CODE detail`, whole: what a person is told is part of the product.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from stead.desired import resolve
from stead.spec import load

CASES = Path(__file__).parents[2] / "cases"


def _cases() -> list[Any]:
    return [
        pytest.param(case, id=f"{path.parent.name}: {case['case']}")
        for path in sorted(CASES.glob("*/rules.yml"))
        for case in yaml.safe_load(path.read_text())
    ]


@pytest.mark.parametrize("case", _cases())
def test_rules_say_what_the_case_says(case: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "spec.yml"
    path.write_text(case["spec"])
    spec, read = load([path], root=tmp_path)
    _, resolved = resolve(spec, key=b"key")
    found = [f"{one.place.line}:{one.place.column} {one.code} {one.detail}" for one in (*read, *resolved) if one.place]
    assert found == case["says"]
