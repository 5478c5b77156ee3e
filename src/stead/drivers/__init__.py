"""The drivers: a package for each family, a module for each driver in it, whose `DRIVER` is its controller's half.

This module finds them and knows none by name. A module that is added to a family is a driver of it; one that is
installed elsewhere announces itself as an entry point of the group `stead.drivers.<family>`, under its own name. What
several drivers of a family share is in its module or package `shared`. A driver is pure: it imports no effect and no
other driver, and nobody imports it.
"""

# ruff: noqa: PTH112, PTH118, PTH208
# pathlib takes longer to import than a family of drivers.
from __future__ import annotations

import importlib
import os
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TypeVar

from stead.core.diagnostics import Refused
from stead.core.driver import BAD_DRIVER, Driver
from stead.core.entry_points import find_entry_points

D = TypeVar("D", bound=Driver)
SHARED = "shared"  # what several drivers of a family have in common: no driver


def group(family: str) -> str:
    return f"{__name__}.{family}"


def drivers(family: str, sort: type[D]) -> Mapping[str, D]:
    """Those of a family by their names, built-in ones first. The family calls this, and once."""
    found: dict[str, D] = {}
    for name, driver in (*_built_in(family), *_installed(family)):
        if not isinstance(driver, sort) or driver.name != name:
            why = (
                f"{group(family)}: {name!r} is not a {sort.__name__} of that name. Repair it, or uninstall its package."
            )
            raise Refused(BAD_DRIVER.at(None, why))
        if name in found:
            why = f"{group(family)}: there are two of the name {name!r}. Rename yours, or uninstall its package."
            raise Refused(BAD_DRIVER.at(None, why))
        found[name] = driver
    return MappingProxyType(found)


def _built_in(family: str) -> Iterator[tuple[str, object]]:
    for folder in (os.path.join(one, family) for one in __path__):
        for entry in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
            stem, dot, _ending = entry.partition(".py")
            if dot and stem not in ("__init__", SHARED):
                yield stem.replace("_", "-"), importlib.import_module(f"{group(family)}.{stem}").DRIVER


def _installed(family: str) -> Iterator[tuple[str, object]]:
    for point in find_entry_points(group(family)):
        try:
            found = point.load()
        except Exception as error:
            why = f"{point.group}: {point.name!r} ({point.value}) does not load: {error}. Repair it, or uninstall it."
            raise Refused(BAD_DRIVER.at(None, why)) from error
        yield point.name, found
