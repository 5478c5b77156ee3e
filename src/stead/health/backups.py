"""Whether the hosts that keep backups can be used, and which disks have no recent backup."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from stead.core.diagnostics import Code, Diagnostic, Severity
from stead.core.value import value
from stead.runner.backups import BackupHosts, Kept, RecordedDisk
from stead.runner.disk_streams import HostRefused
from stead.site.inventory import Inventory

UNUSABLE = Code("STEAD-H044", "the backups of a host cannot be used")
OLD = Code("STEAD-H045", "disks have no recent backup", Severity.WARNING)
DAYS = 2  # for a run each day that may take some hours
SHOWN = 3


@value
class KeeperAnswer:
    why: str = ""  # its backups cannot be used
    backups: Sequence[Kept] = ()


def ask_all(inventory: Inventory, answering: Collection[str]) -> dict[str, KeeperAnswer]:
    """Hosts that do not answer at all are told of elsewhere."""
    found = {}
    for name in sorted(inventory.backups.keys() & {*answering}):
        try:
            found[name] = KeeperAnswer(backups=BackupHosts(inventory=inventory).listed(name))
        except HostRefused as error:
            found[name] = KeeperAnswer(why=str(error))
    return found


def diagnosed(
    answers: Mapping[str, KeeperAnswer], disks: Sequence[RecordedDisk], now: datetime | None = None
) -> Iterator[Diagnostic]:
    newest: dict[str, datetime] = {}
    for host, answer in answers.items():
        if answer.why:
            yield UNUSABLE.at(None, f"{answer.why} `stead backup verify` says more.", address=host)
        for one in answer.backups:
            at = datetime.fromisoformat(one.at)
            newest[one.serial] = max(at, newest.get(one.serial, at))
    if not answers or all(one.why for one in answers.values()):
        return
    today = now or datetime.now(UTC)
    old = [str(disk.address) for disk in disks if not _is_recent(newest.get(disk.serial), today)]
    if old:
        more = f" and {len(old) - SHOWN} more" if len(old) > SHOWN else ""
        text = f"{', '.join(old[:SHOWN])}{more}: the last backup is more than {DAYS} days old, or there is none."
        yield OLD.at(None, f"{text} Run `stead backup run` each day.", address=next(iter(answers)))


def _is_recent(at: datetime | None, now: datetime) -> bool:
    return at is not None and (now - at).days < DAYS
