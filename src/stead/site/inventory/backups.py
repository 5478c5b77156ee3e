"""`stead_backup` of a host: that it keeps the backups, and how many. Bootstrap does what it says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from stead.core.value import field, value
from stead.site.inventory.variables import Bad, mapping, text, whole

BACKUP = "stead_backup"
_FIELDS = frozenset({"at", "keep", "path"})
NOBODY_RUNS_IT = (
    "has `at`, and no controller has `stead_serve` to start them: add it, or start `stead backup run` from cron"
)
_TIME = re.compile(r"hourly|daily|weekly|monthly|([01][0-9]|2[0-3]):[0-5][0-9]")
SPANS = ("hourly", "daily", "weekly", "monthly", "yearly")


@value
class BackupPlace:
    path: str
    keep: Mapping[str, int] = field(default_factory=dict)  # span -> how many; empty keeps all
    at: str = ""  # when the controller with the API runs them; empty: never by itself


def backup_place_of(given: Any) -> BackupPlace:
    body = {"path": given} if isinstance(given, str) else mapping(given)
    if unknown := sorted(body.keys() - _FIELDS):
        raise Bad(f"has {unknown[0]!r}: it has {', '.join(sorted(_FIELDS))}")
    path = text(body.get("path", ""))
    if not path.startswith("/") or path == "/":
        raise Bad(f"has path {path!r}: write the whole path of a directory on that host")
    keep = mapping(body.get("keep", {}))
    if wrong := sorted(keep.keys() - {*SPANS}):
        raise Bad(f"has {wrong[0]!r} in keep: it has {', '.join(SPANS)}")
    at = body.get("at", "")
    if at != "" and not (isinstance(at, str) and _TIME.fullmatch(at)):
        raise Bad(f"has at {at!r}: write hourly, daily, weekly, monthly, or a time of day in quotes, such as '03:00'")
    return BackupPlace(path=path, keep={span: whole(count) for span, count in keep.items()}, at=at)
