"""From when to when something had which amounts, and what that adds up to within an interval.

Exact: nothing is sampled. A resource counts from the moment when its creation was recorded until the moment when
nothing was left of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from stead.core.address import Address
from stead.core.metered import Metered
from stead.core.named import NamedTuple
from stead.core.value import value

HOUR = 3600.0  # seconds


class MeterSpan(NamedTuple):
    """One stretch of time in which the amounts of one resource did not change."""

    address: Address
    uuid: str
    amounts: Mapping[str, int]
    begin: float
    end: float
    lasts: bool = False  # it is there still

    def within(self, begin: float, end: float) -> float:
        """Seconds of it in an interval."""
        return max(0.0, min(self.end, end) - max(self.begin, begin))


@value
class UsageReport:
    begin: float
    end: float
    projects: Mapping[str, Mapping[str, float]]  # project -> name of a meter -> amount times hours


def spans(history: Iterable[Metered], now: float) -> Iterator[MeterSpan]:
    """A clock that was set back counts nothing twice: what was recorded later did not happen earlier."""
    last: dict[Address, Metered] = {}
    for one in history:
        before = last.get(one.address)
        at = one.at if before is None else max(one.at, before.at)
        if before is not None and before.amounts:
            yield MeterSpan(before.address, before.uuid, before.amounts, before.at, at)
        last[one.address] = one._replace(at=at)
    for one in last.values():
        if one.amounts:
            yield MeterSpan(one.address, one.uuid, one.amounts, one.at, max(one.at, now), lasts=True)


def set_back(history: Iterable[Metered]) -> list[Metered]:
    """What was recorded at an earlier time than what had been recorded before it, of the same address."""
    latest: dict[Address, float] = {}
    found = []
    for one in history:
        if one.at < latest.get(one.address, one.at):
            found.append(one)
        latest[one.address] = max(one.at, latest.get(one.address, one.at))
    return found


def usage(history: Iterable[Metered], begin: float, end: float, now: float) -> UsageReport:
    """What is there still counts until `now`, and not into the future."""
    found: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for span in spans(history, now):
        if seconds := span.within(begin, end):
            project = found[span.address.project]
            for name, amount in span.amounts.items():
                project[name] += amount * seconds / HOUR
    projects = {project: dict(sorted(amounts.items())) for project, amounts in sorted(found.items())}
    return UsageReport(begin=begin, end=end, projects=projects)
