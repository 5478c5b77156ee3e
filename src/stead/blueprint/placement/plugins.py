"""A site's own filters and scorers, found by entry point.

The one place of placement that looks outside its arguments: at what is installed. `place` never calls it; the caller
loads once and puts the result into the problem. What a site's code does wrong is told as the site's mistake, with the
name it announced: the traceback would be of no use to who asked for a plan.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stead.blueprint.placement.model import PlacementHost, Request, SiteFilter, SiteScorer
from stead.core.diagnostics import Code, Refused
from stead.core.entry_points import find_entry_points
from stead.core.named import NamedTuple

BAD_RULE = Code("STEAD-P002", "a placement rule of the site cannot be used")

FILTERS = "stead.placement.filters"
SCORERS = "stead.placement.scorers"
# Points are thousandths of a full host; more would overflow where all hosts are rated at once.
MOST_POINTS = 1_000_000


class PlacementPlugins(NamedTuple):
    filters: dict[str, SiteFilter]
    scorers: dict[str, SiteScorer]


NO_PLUGINS = PlacementPlugins({}, {})


def load_plugins() -> PlacementPlugins:
    filters, scorers = _load(FILTERS), _load(SCORERS)
    return PlacementPlugins(
        filters={name: _asked(FILTERS, name, rule, "a reason as text, or None", _is_reason) for name, rule in filters},
        scorers={name: _asked(SCORERS, name, rule, "points as a whole number", _is_points) for name, rule in scorers},
    )


def _load(group: str) -> list[tuple[str, Any]]:
    found: dict[str, Any] = {}
    for point in find_entry_points(group):
        if point.name in found:
            why = f"{group}: two packages offer {point.name!r}; uninstall one, or rename its entry."
            raise Refused(BAD_RULE.at(None, why))
        try:
            found[point.name] = point.load()
        except Exception as error:
            why = (
                f"{group}: {point.name!r} ({point.value}) does not load: {error}. Repair it, or uninstall its package."
            )
            raise Refused(BAD_RULE.at(None, why)) from error
    return list(found.items())


def _asked(
    group: str, name: str, rule: Callable[[PlacementHost, Request], Any], due: str, is_due: Callable[[Any], bool]
) -> Callable[[PlacementHost, Request], Any]:
    """The rule, held to what it owes."""

    def ask(host: PlacementHost, request: Request) -> Any:
        try:
            answer = rule(host, request)
        except Exception as error:
            why = f"{group}: {name!r} failed for {request.id} on {host.name}: {error!r}. Repair it, or uninstall it."
            raise Refused(BAD_RULE.at(None, why)) from error
        if not is_due(answer):
            why = f"{group}: {name!r} must return {due}, but returned {answer!r} for {request.id} on {host.name}."
            raise Refused(BAD_RULE.at(None, why))
        return answer

    return ask


def _is_reason(answer: Any) -> bool:
    return answer is None or isinstance(answer, str)


def _is_points(answer: Any) -> bool:
    return isinstance(answer, int) and abs(answer) <= MOST_POINTS
