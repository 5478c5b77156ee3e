"""Worked examples of plugins/, as pip and ansible-galaxy leave them."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest


def announce(folder: Path, name: str, groups: Mapping[str, Mapping[str, str]]) -> None:
    """A distribution of this name, with its entry points."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = [f"[{group}]\n" + "".join(f"{a} = {b}\n" for a, b in points.items()) for group, points in groups.items()]
    (info / "entry_points.txt").write_text("\n".join(lines))


def install_example(example: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tomllib.loads((example / "pyproject.toml").read_text())["project"]
    announce(folder, project["name"].replace("-", "_"), project["entry-points"])
    for path in example.glob("*.py"):
        shutil.copy(path, folder)
    for path in (folder, example / "collections"):
        monkeypatch.syspath_prepend(path)
