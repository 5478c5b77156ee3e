"""What the doctor says of backups: of hosts that keep them, and of disks without a recent one."""

from __future__ import annotations

from datetime import UTC, datetime

from stead.core.address import Address
from stead.health.backups import KeeperAnswer, diagnosed
from stead.runner.backups import Kept, RecordedDisk

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def disk(name: str) -> RecordedDisk:
    return RecordedDisk(address=Address("acme", "volumes", name), uuid=name, serial=name, size=1, host="a")


def kept(name: str, day: int) -> Kept:
    at = f"2026-11-{day}T11:00:00.123456789Z"
    return Kept(id="4f2a91c3", at=at, address=f"acme/volumes/{name}", host="a", moment="closed", size=1, serial=name)


def told(answers: dict[str, KeeperAnswer], *names: str) -> list[tuple[str, str, str]]:
    return [(one.code, one.address, one.detail) for one in diagnosed(answers, [disk(name) for name in names], NOW)]


def test_a_recent_backup_on_any_host_is_enough() -> None:
    answers = {"a": KeeperAnswer(backups=[kept("x", 20), kept("x", 29)]), "b": KeeperAnswer(backups=[kept("y", 30)])}
    assert told(answers, "x", "y") == []


def test_old_backups_and_missing_ones_are_told_once() -> None:
    ((code, host, text),) = told({"a": KeeperAnswer(backups=[kept("x", 20)])}, "x", "y", "z", "u", "v")
    assert (code, host) == ("STEAD-H045", "a")
    assert text.startswith("acme/volumes/x, acme/volumes/y, acme/volumes/z and 2 more: ")


def test_a_repository_that_cannot_be_used_is_an_error_of_its_own() -> None:
    ((code, host, text),) = told({"a": KeeperAnswer(why="a: STEAD-E188: it is gone.")}, "x")
    assert (code, host) == ("STEAD-H044", "a")
    assert "STEAD-E188" in text


def test_a_site_without_backups_is_told_nothing() -> None:
    assert told({}, "x") == []
