"""Where a resource is now, and whether what is on its host can be carried to another, so that it stays what it is."""

from __future__ import annotations

from collections.abc import Mapping

from stead.core.kind import Kind
from stead.core.observed import Have, Host
from stead.core.recorded import Record


def is_carried(kind: Kind, record: Record, hosts: Mapping[str, Host], to: str) -> bool:
    """Both hosts have to take part. What a dead host has is lost, and what a silent one has waits."""
    source, target, want = hosts.get(record.host), hosts.get(to), record.wants.get(record.host)
    if not kind.carried or source is None or target is None or want is None:
        return False
    there = want.fields()
    return source.state.answers and target.state.answers and not kind.stays(there, there, source, target)


def incumbent_host(
    record: Record | None, haves: Mapping[str, Have], hosts: Mapping[str, Host], *, movable: bool
) -> str:
    """Where a resource is now. One that was moved by hand is where it was moved to, and that is no drift."""
    if record is not None and record.host in hosts:
        told_elsewhere = movable and len(haves) == 1 and record.host not in haves
        if not (told_elsewhere and not hosts[record.host].state.may_run):
            return record.host
    if movable and len(haves) == 1:
        return next(iter(haves))
    return ""
