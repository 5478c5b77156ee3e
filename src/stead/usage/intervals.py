"""Which stretch of time is meant: a month, or from one moment to another. All of it in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from stead.core.diagnostics import Code, Refused

BAD_TIME = Code("STEAD-U002", "the interval is not valid")
_MONTH = re.compile(r"((?:19|2[0-9])[0-9]{2})-(0[1-9]|1[0-2])")
_EVER = (0, 32_503_680_000)  # the years 1970 to 2999: what clocks of databases tell


def month(text: str) -> tuple[float, float]:
    match = _MONTH.fullmatch(text)
    if match is None:
        raise Refused(BAD_TIME.at(None, f"--month {text}: write YYYY-MM, such as 2026-11."))
    return _month_of(int(match[1]), int(match[2]))


def this_month(now: float) -> tuple[float, float]:
    at = datetime.fromtimestamp(now, UTC)
    return _month_of(at.year, at.month)


def _month_of(year: int, number: int) -> tuple[float, float]:
    begin = datetime(year, number, 1, tzinfo=UTC)
    after = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)
    return begin.timestamp(), after.timestamp()


def moment_of(text: str) -> float:
    """Raises ValueError. Without a zone it is UTC."""
    at = datetime.fromisoformat(text)
    seconds = (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp()
    if not _EVER[0] <= seconds <= _EVER[1]:
        raise ValueError(f"{text} is too long ago or too far away")
    return seconds


def between(begin: str | None, end: str | None, now: float) -> tuple[float, float]:
    first = _given("--from", begin) if begin else this_month(now)[0]
    last = _given("--to", end) if end else now
    if last < first:
        raise Refused(BAD_TIME.at(None, "It ends before it begins."))
    return first, last


def _given(option: str, text: str) -> float:
    try:
        return moment_of(text)
    except ValueError as error:
        told = (
            f"{option} {text}: write a day or a moment of UTC from 1970 on, such as 2026-11-30 or 2026-11-30T12:00:00."
        )
        raise Refused(BAD_TIME.at(None, told)) from error
