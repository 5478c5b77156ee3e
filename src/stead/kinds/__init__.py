"""The kinds: one package each, whose `KIND` says what it is to the engine.

This module finds them and knows none by name. A package that is added here is a kind; one that is installed elsewhere
announces itself as an entry point of the group `stead.kinds`. Plain modules beside the packages are what several kinds
share; kinds never import each other.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType

from stead.kind import Kind

GROUP = "stead.kinds"


@cache
def kinds() -> Mapping[str, Kind]:
    """Every kind by its plural, in the order of the plurals."""
    found = {kind.plural: kind for kind in (*_own(), *_installed())}
    return MappingProxyType(dict(sorted(found.items())))


def _own() -> Iterator[Kind]:
    for module in pkgutil.iter_modules(__path__):
        if module.ispkg:
            kind: Kind = importlib.import_module(f"{__name__}.{module.name}").KIND
            yield kind


def _installed() -> Iterator[Kind]:
    from importlib.metadata import entry_points

    for entry in entry_points(group=GROUP):
        kind: Kind = entry.load()
        yield kind
