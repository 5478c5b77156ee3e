"""Whatever a spec looks like, the answer is diagnostics. `bench/fuzz.py` does the same twenty thousand times."""

from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_no_mutated_spec_ends_in_a_traceback(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("fuzz", ROOT / "bench" / "fuzz.py")
    assert spec is not None
    assert spec.loader is not None
    fuzz = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fuzz)
    seen = fuzz.fuzz(1500, 7, tmp_path)
    assert len(seen) > 12  # the mutations reach many different mistakes
