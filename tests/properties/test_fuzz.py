"""Whatever a file looks like, the answer is diagnostics. `bench/fuzz.py` does the same for as long as one likes.

STEAD_FUZZ_ROUNDS=20000 pytest tests/properties/test_fuzz.py
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path

import pytest

BENCH = Path(__file__).parent.parent.parent / "bench"
# target -> rounds, and how many different answers they at least bring out
ROUNDS = {"specs": (1500, 12), "inventories": (150, 4), "tests": (250, 8), "variables": (100, 8), "plans": (150, 2)}
ROUNDS["project-files"] = (150, 12)


@pytest.mark.parametrize("target", ROUNDS)
def test_no_mutated_file_ends_in_a_traceback(target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCH))
    fuzz = importlib.import_module("fuzz")
    rounds, answers = ROUNDS[target]
    seen = fuzz.fuzz(fuzz.TARGETS[target], int(os.environ.get("STEAD_FUZZ_ROUNDS") or rounds), 7, tmp_path)
    assert len(seen) > answers  # the mutations reach many different mistakes
