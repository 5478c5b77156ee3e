"""A site's own filters and scorers, found by entry point.

The one place of placement that looks outside its arguments: at what is installed. `place` never calls it; the caller
loads once and puts the result into the problem, so that a plan can say what it was made with.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .model import SiteFilter, SiteScorer

FILTERS = "stead.placement.filters"
SCORERS = "stead.placement.scorers"


class Sites(NamedTuple):
    filters: dict[str, SiteFilter]
    scorers: dict[str, SiteScorer]


class SitePluginError(Exception):
    """An entry point that does not load; the message names it, since the traceback would be the site's."""


def load_sites() -> Sites:
    return Sites(filters=_load(FILTERS), scorers=_load(SCORERS))


def _load(group: str) -> dict[str, Any]:
    from importlib.metadata import entry_points  # takes as long to import as a small plan takes to make

    found: dict[str, Any] = {}
    for point in sorted(entry_points(group=group), key=lambda point: (point.name, point.value)):
        if point.name in found:
            raise SitePluginError(f"{group}: two packages offer {point.name!r}; uninstall one, or rename its entry")
        try:
            found[point.name] = point.load()
        except Exception as error:
            raise SitePluginError(f"{group}: {point.name!r} ({point.value}) does not load: {error}") from error
    return found
