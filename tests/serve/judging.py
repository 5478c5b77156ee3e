"""OpenStack's own test suite, run against a server: what fails has to be listed with its reason, and nothing else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

CASES = Path(__file__).parents[1] / "cases/tempest"
CACHE = Path("/var/cache/stead/tempest")
VERSION = "47.0.0"
LINE = re.compile(
    r"^\{0\} (?:(?:setUp|tearDown)Class \()?(?:tempest\.)?([\w.]+).*\.\.\. (ok|FAILED|SKIPPED)", re.MULTILINE
)


def installed() -> Path:
    """Kept outside of the checkout: it is 200 MB."""
    folder = CACHE / VERSION
    if not (folder / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([folder / "bin/pip", "install", "--quiet", f"tempest=={VERSION}"], check=True)
        (folder / "ready").touch()
    return folder / "bin/tempest"


def judge(workspace: Path, tempest: Path, only: Sequence[str], cases: Mapping[str, Any], authorities: str = "") -> None:
    """`authorities`: a file with certificates, for connections that tempest opens by itself."""
    own = {**os.environ, **({"SSL_CERT_FILE": authorities} if authorities else {})}
    left_out = "|".join(re.escape(name) for name in cases["not_run"])
    words = [str(tempest), "run", *only, "--concurrency", "1", *(["--exclude-regex", left_out] if left_out else [])]
    ran = subprocess.run(words, cwd=workspace, capture_output=True, text=True, check=False, env=own)
    results = {(name, result) for name, result in LINE.findall(ran.stdout)}
    failed = {name for name, result in results if result == "FAILED"}
    passed = {name for name, result in results if result == "ok"}
    unlisted = sorted(name for name in failed if not name.startswith(tuple(cases["fails"])))
    assert not unlisted, ran.stdout[-20_000:]
    assert not [one for one in cases["fails"] if not any(name.startswith(one) for name in failed)]
    print(f"tempest {VERSION}: {len(passed)} of its tests pass, {len(failed)} fail as listed")
    assert len(passed) >= cases["least"]
