"""The kinds: one package each, whose `KIND` says what it is to the engine.

This module finds them and knows none by name. A package that is added here is a kind; one that is installed elsewhere
announces itself as an entry point of the group `stead.kinds`. Plain modules beside the packages are what several kinds
share; kinds never import each other.
"""

# ruff: noqa: PTH110, PTH118
# pathlib takes longer to import than three kinds.
from __future__ import annotations

import importlib
import os
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from stead.core.entry_points import find_entry_points
from stead.core.kind import Kind

if TYPE_CHECKING:
    from stead.core.task import TaskForm

GROUP = "stead.kinds"
SHARED = "shared"  # what several kinds have in common: no kind


@cache
def kinds() -> Mapping[str, Kind]:
    """Every kind by its plural, in the order of the plurals."""
    found = {kind.plural: kind for kind in (*_own(), *_installed())}
    return MappingProxyType(dict(sorted(found.items())))


def tasks() -> Mapping[str, TaskForm]:
    """What tasks of playbooks say, by the module of Stead's collection: of the kinds that have a file `task.py`."""
    found: dict[str, TaskForm] = {}
    for folder in __path__:
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if os.path.exists(os.path.join(entry.path, "task.py")):
                found.update(importlib.import_module(f"{__name__}.{entry.name}.task").TASKS)
    return found


def _own() -> Iterator[Kind]:
    # pkgutil would do, and takes as long to import as three kinds.
    for folder in __path__:
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if entry.name != SHARED and os.path.exists(os.path.join(entry.path, "__init__.py")):
                kind: Kind = importlib.import_module(f"{__name__}.{entry.name}").KIND
                yield kind


def _installed() -> Iterator[Kind]:
    for entry in find_entry_points(GROUP):
        kind: Kind = entry.load()
        yield kind
