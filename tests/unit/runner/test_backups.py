"""Two programs that hosts would run: what one writes the other reads, and whose fault it is when it goes wrong."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.images import writing
from stead.core.address import Address
from stead.core.recorded import Record, Recorded
from stead.core.want import Body, Want
from stead.kinds import kinds
from stead.runner.backups import disks_of
from stead.runner.disk_streams import HostRefused, received, relayed

COUNTS = "import sys, json; print(json.dumps({'read': len(sys.stdin.buffer.read())}))"


def program(text: str) -> list[str]:
    return [sys.executable, "-c", text]


def fails(text: str, before: str = "pass") -> list[str]:
    return program(f"import sys; {before}; sys.stderr.write({json.dumps({'error': text})!r}); sys.exit(1)")


def test_what_one_writes_the_other_reads() -> None:
    assert relayed(("a", program("print('x' * 100000)")), ("b", program(COUNTS))) == {"read": 100001}


def test_the_source_says_why_it_ended_early() -> None:
    source = fails("the disk is gone", "print('half', flush=True)")
    target = fails("it did not arrive whole", "sys.stdin.read()")
    with pytest.raises(HostRefused, match=r"^a: the disk is gone$"):
        relayed(("a", source), ("b", target))


def test_the_target_says_why_it_refuses_and_the_source_ends() -> None:
    began = time.monotonic()
    source = ["yes"]
    with pytest.raises(HostRefused, match=r"^b: it is full$"):
        relayed(("a", source), ("b", fails("it is full", "sys.stdin.read(1)")))
    silent = program("import time; time.sleep(60)")
    with pytest.raises(HostRefused, match=r"^b: it is full$"):
        relayed(("a", silent), ("b", fails("it is full")))
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("words", ["Connection refused", "closed by remote host"])
def test_the_last_words_of_ssh_are_told(words: str) -> None:
    source = program(f"import sys; sys.stderr.write('ssh: host: {words}\\n'); sys.exit(255)")
    with pytest.raises(HostRefused, match=words):
        relayed(("a", source), ("b", fails("cut", "sys.stdin.read()")))


def test_a_host_without_the_program_is_to_be_prepared() -> None:
    source = program("import sys; sys.stderr.write('sh: 1: /usr/lib/stead/backup: not found'); sys.exit(127)")
    with pytest.raises(HostRefused, match="run `stead bootstrap` for it"):
        relayed(("a", source), ("b", fails("cut", "sys.stdin.read()")))


def record(kind: str, name: str, host: str, **fields: object) -> Record:
    address = Address("acme", kind, name)
    want = Want.of(Body.of({**fields, "uuid": f"uuid-{name}"}))
    return Record(address=address, leases={"uuid": f"uuid-{name}"}, host=host, wants={host: want})


def test_a_disk_is_looked_for_where_its_guests_are() -> None:
    """A volume that boots an instance has it; that instance has no disk of its own."""
    boots = {"root": {"size": 9, "volume": {"uuid": "uuid-booted"}}, "volumes": {"a": {"uuid": "uuid-data"}}}
    records = [
        record("volumes", "data", "storage", size=5),
        record("volumes", "booted", "storage", size=9),
        record("volumes", "free", "storage", size=7),
        record("instances", "web", "compute-1", **boots),
        record("instances", "db", "compute-2", root={"size": 3}, volumes={}),
        record("networks", "app", "compute-1"),
    ]
    disks = disks_of(Recorded(resources={one.address: one for one in records}), kinds())
    assert [(str(one.address), one.serial, one.size, one.host, one.users) for one in disks] == [
        ("acme/instances/db", "uuid-db-root", 3, "compute-2", ("compute-2",)),
        ("acme/volumes/booted", "uuid-booted", 9, "storage", ("storage", "compute-1")),
        ("acme/volumes/data", "uuid-data", 5, "storage", ("storage", "compute-1")),
        ("acme/volumes/free", "uuid-free", 7, "storage", ("storage",)),
    ]


SENDS = """
import sys
sys.path[:0] = PATH
from ansible_collections.stead.cloud.plugins.module_utils.host.backup.frames import ContentWriter
sent = ContentWriter(sys.stdout.buffer, 3 << 20)
sent.put(1 << 20, b"here")
END
"""


def sends(end: str) -> list[str]:
    return program(SENDS.replace("PATH", repr(sys.path)).replace("END", end))


def test_what_a_host_writes_becomes_a_file_that_is_as_large_as_it_says(tmp_path: Path) -> None:
    received("a", sends("sent.end()"), tmp_path / "disk", 1 << 30)
    assert (tmp_path / "disk").read_bytes() == bytes(1 << 20) + b"here" + bytes((2 << 20) - 4)
    assert (tmp_path / "disk").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("end", "most"), [("sys.stdout.flush()", 1 << 30), ("sent.end()", 1 << 20)])
def test_what_is_cut_or_too_large_leaves_nothing(end: str, most: int, tmp_path: Path) -> None:
    with pytest.raises(HostRefused, match=r"STEAD-E18[01]"):
        received("a", sends(end), tmp_path / "disk", most)
    assert [*tmp_path.iterdir()] == []


def test_who_sends_more_than_is_read_holds_up_nobody(tmp_path: Path) -> None:
    began = time.monotonic()
    goes_on = "sent.put(0, bytes(1 << 20))\nfor _ in range(99): sys.stdout.buffer.write(bytes(1 << 20))"
    with pytest.raises(HostRefused, match="STEAD-E181"):
        received("a", sends(goes_on), tmp_path / "disk", 1 << 20)
    assert time.monotonic() - began < 20


def test_a_file_that_would_fill_this_machine_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "room", lambda _path: 1 << 20)
    with pytest.raises(HostRefused, match="STEAD-E411"):
        received("a", sends("sent.end()"), tmp_path / "disk", 1 << 30, has_holes=False)
    assert [*tmp_path.iterdir()] == []
    received("a", sends("sent.end()"), tmp_path / "disk", 1 << 30)
