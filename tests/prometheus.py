"""Prometheus' own tool, which checks rules and metrics: installed here, or taken from Debian's package once."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest


@cache
def promtool() -> str:
    found = shutil.which("promtool") or _unpacked()
    if not found:
        pytest.skip("promtool is not installed: apt-get install prometheus")
    return found


def _unpacked() -> str:
    """Without what the package would start on this machine."""
    cache_home = Path(os.environ.get("XDG_CACHE_HOME") or Path(tempfile.gettempdir()) / f"stead-tests-{os.getuid()}")
    tool = cache_home / "prometheus" / "usr/bin/promtool"
    if tool.exists():
        return str(tool)
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        return ""
    cache_home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=cache_home) as name:
        folder = Path(name)
        words = ["apt-get", "download", "prometheus"]
        if subprocess.run(words, cwd=folder, capture_output=True, check=False).returncode:  # apt may know no packages
            subprocess.run(["apt-get", "update", "-qq"], capture_output=True, check=False)
            subprocess.run(words, cwd=folder, capture_output=True, check=False)
        package = next(folder.glob("*.deb"), None)
        if package is None:
            return ""
        subprocess.run(["dpkg-deb", "-x", str(package), str(folder / "tree")], check=True)
        if not tool.exists():
            (folder / "tree").rename(cache_home / "prometheus")
    return str(tool)
