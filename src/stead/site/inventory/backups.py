"""`stead_backup` of a host: that it keeps the backups, and how many. Bootstrap does what it says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.core.value import field, value
from stead.site.inventory.variables import Bad, mapping, text, whole

BACKUP = "stead_backup"
_FIELDS = frozenset({"path", "keep"})
SPANS = ("hourly", "daily", "weekly", "monthly", "yearly")


@value
class BackupPlace:
    path: str
    keep: Mapping[str, int] = field(default_factory=dict)  # span -> how many; empty keeps all


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
    return BackupPlace(path=path, keep={span: whole(count) for span, count in keep.items()})
