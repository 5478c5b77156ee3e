"""Packages beside Stead that are found by entry point: kinds, drivers, and a site's placement rules.

Decides only whether it is worth looking: importlib.metadata takes longer to import than a small plan takes to make, and
on most machines nobody announces anything. Must not load what it finds.
"""

# ruff: noqa: PTH118, PTH208, PTH123
# pathlib takes longer to import than this takes to run.
from __future__ import annotations

import os
import sys
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


def find_entry_points(group: str) -> list[EntryPoint]:
    """The entry points of a group, in the order of their names."""
    if group not in _groups(tuple(sys.path)):
        return []
    from importlib.metadata import entry_points

    return sorted(entry_points(group=group), key=lambda point: (point.name, point.value))


@cache
def _groups(folders: tuple[str, ...]) -> frozenset[str]:
    found: set[str] = set()
    for folder in folders:
        try:
            names = [name for name in os.listdir(folder or ".") if name.endswith(".dist-info")]
        except OSError:
            continue
        for name in names:
            found.update(_in(os.path.join(folder, name, "entry_points.txt")))
    return frozenset(found)


def _in(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8") as file:
            return [line.strip()[1:-1] for line in file if line.startswith("[")]
    except OSError:
        return []
