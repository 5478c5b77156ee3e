"""Backups on real hosts: what to back up and who has it open, and the ways between the hosts that do it.

A disk goes from the host that has it, through this machine's SSH, to the host that keeps backups. Neither can log in to
the other. This machine sees the content pass and keeps none of it; whether all of it arrived, the stream itself says.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from ansible_collections.stead.cloud.plugins.module_utils.host.backup import frames
from stead.core.address import Address
from stead.core.diagnostics import Code, Diagnostic
from stead.core.effect import Action
from stead.core.kind import Kind
from stead.core.named import NamedTuple
from stead.core.recorded import Recorded
from stead.core.value import value
from stead.plan.model import Step
from stead.runner.disk_streams import HostRefused, read_by, received, relayed, said_by
from stead.site.inventory import Inventory
from stead.site.ssh import ssh

NOT_BROUGHT = Code("STEAD-A007", "a backup could not be brought to the host of a volume")

PROGRAM = "/usr/lib/stead/backup"
# Nobody is there to type a password, and a host whose power was cut is given up on.
ALONE = ("-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=8", "-o", "ServerAliveInterval=3")
# They end with who started them: then hosts notice that nobody is there.
WITH_US = ("setpriv", "--pdeathsig", "TERM", "--")
PATIENCE = 120  # seconds for an answer that needs no data
AT_ONCE = 16
SLACK = 1 << 20  # a disk may be rounded up to what its pool can have
UNKNOWN = "STEAD-E190"
PASSING = ("STEAD-E183", "STEAD-E184")  # the disk is not there, was opened meanwhile: another try may find it
T = TypeVar("T")
_MAKING = (Action.CREATE, Action.REPLACE)


@value
class RecordedDisk:
    """One that a backup can hold."""

    address: Address
    uuid: str
    serial: str  # by which guests know it
    size: int
    host: str  # that keeps it
    users: tuple[str, ...] = ()  # hosts of guests that may have it open


class Kept(NamedTuple):
    """A backup, as the host that keeps it says."""

    id: str
    at: str
    address: str
    host: str
    moment: str
    size: int
    serial: str


class Saved(NamedTuple):
    id: str
    size: int
    added: int  # bytes that the repository did not have
    moment: str


def disks_of(recorded: Recorded, kinds: Mapping[str, Kind]) -> list[RecordedDisk]:
    """All that is recorded and has a disk of its own, in the order of addresses."""
    users: dict[str, list[str]] = {}
    for record in recorded.resources.values():
        if kinds[record.address.kind].guest and record.host in record.wants:
            for uuid in _uuids(record.wants[record.host].fields()):
                users.setdefault(uuid, []).append(record.host)
    found = []
    for address, record in recorded.resources.items():
        saved = kinds[address.kind].saved(record.wants[record.host].fields()) if record.host in record.wants else None
        if saved is not None:
            uuid = record.leases["uuid"]
            having = tuple(dict.fromkeys([record.host, *users.get(uuid, ())]))
            found.append(RecordedDisk(address=address, uuid=uuid, host=record.host, users=having, **saved._asdict()))
    return sorted(found, key=lambda disk: str(disk.address))


def _uuids(fields: Any) -> Iterator[str]:
    """Of all that a want names beside itself."""
    for one in fields.values() if isinstance(fields, Mapping) else fields:
        if isinstance(one, Mapping) and "uuid" in one:
            yield one["uuid"]
        if isinstance(one, Mapping | list | tuple):
            yield from _uuids(one)


@value
class BackupHosts:
    """The hosts of an inventory, as backups need them."""

    inventory: Inventory

    def ask(self, host: str, verb: str, told: Mapping[str, Any], patience: float | None = PATIENCE) -> dict[str, Any]:
        words = self._words(host, verb, told)
        try:
            done = subprocess.run(words, capture_output=True, check=False, timeout=patience, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired as error:
            raise HostRefused(f"{host} did not answer within {patience:.0f} s.") from error
        if done.returncode:
            raise HostRefused(said_by(host, done.stderr))
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def listed(self, keeper: str) -> list[Kept]:
        return [Kept(**one) for one in self.ask(keeper, "list", {})["backups"]]

    def open_on(self, disks: Iterable[RecordedDisk]) -> tuple[dict[str, str], dict[str, str]]:
        """serial -> the host of a guest that has it open; and host -> why it does not say so."""
        asked: dict[str, list[str]] = {}
        for disk in disks:
            for host in disk.users:
                asked.setdefault(host, []).append(disk.serial)
        found: dict[str, str] = {}
        silent: dict[str, str] = {}

        def ask(host: str) -> None:
            try:
                found.update(dict.fromkeys(self.ask(host, "users", {"serials": asked[host]})["open"], host))
            except HostRefused as error:
                silent[host] = str(error)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(ask, sorted(asked)))
        return found, silent

    def read(self, disk: RecordedDisk, act: Callable[[str], T]) -> T:
        """`act` is given the host of a guest that has it open; empty if there is none. Twice where that changes."""
        try:
            return act(self._holder(disk))
        except HostRefused as error:
            if not any(code in str(error) for code in PASSING):
                raise
        return act(self._holder(disk))

    def _holder(self, disk: RecordedDisk) -> str:
        found, silent = self.open_on([disk])
        if silent and disk.serial not in found:  # it may have the disk open and be writing to it
            raise HostRefused(" ".join(silent.values()))
        return found.get(disk.serial, "")

    def save(self, disk: RecordedDisk, using: str, keeper: str) -> Saved:
        """`using`: the host of a guest that has it open; empty if there is none. See `read`."""
        moment = "in use" if using else "closed"
        source = self._words(
            using or disk.host, "read", {"kind": disk.address.kind, "uuid": disk.uuid, "serial": disk.serial}
        )
        told = {
            "address": str(disk.address),
            "serial": disk.serial,
            "host": using or disk.host,
            "moment": moment,
            "most": disk.size + SLACK,
        }
        made = relayed((using or disk.host, source), (keeper, self._words(keeper, "keep", told)))
        return Saved(made["id"], made["size"], made["added"], moment)

    def save_file(self, path: Path, name: str, keeper: str) -> Saved:
        """A file of this machine's."""
        size = path.stat().st_size
        told = {"address": name, "serial": name, "host": "", "moment": "store", "most": size}
        with tempfile.TemporaryFile() as content:
            sent = frames.ContentWriter(content, size)
            with path.open("rb") as file:
                for offset in range(0, size, frames.BLOCK):
                    sent.put(offset, file.read(frames.BLOCK))
            sent.end()
            content.seek(0)
            made = read_by((keeper, self._words(keeper, "keep", told)), content)
        return Saved(made["id"], made["size"], made["added"], "store")

    def fetch(self, one: Kept, keeper: str, path: Path) -> None:
        """What is in a backup, as a file of this machine's."""
        received(keeper, self._words(keeper, "send", {"of": one.address, "id": one.id}), path, one.size)

    def image(self, disk: RecordedDisk, using: str, path: Path) -> None:
        """A qcow2 image of a disk, as a file of this machine's. `using`: as for `save`."""
        host, told = using or disk.host, {"kind": disk.address.kind, "uuid": disk.uuid, "serial": disk.serial}
        most = disk.size + disk.size // 100 + SLACK
        received(host, self._words(host, "image", told), path, most, has_holes=False)

    def bring(self, step: Step) -> None:
        """The content of a backup to the host of a step."""
        asked = asked_of(step)
        if asked is None:
            return
        of, backup, size = asked
        why = "no host of the inventory has stead_backup."
        told = {"uuid": step.uuid, "id": backup, "most": size}
        for keeper in sorted(self.inventory.backups):
            source = self._words(keeper, "send", {"of": of, "id": backup})
            try:
                relayed((keeper, source), (step.host, self._words(step.host, "take", told)))
            except HostRefused as error:
                why = str(error)
                if UNKNOWN not in why:
                    raise
            else:
                return
        raise HostRefused(why)

    def _words(self, host: str, verb: str, told: Mapping[str, Any]) -> list[str]:
        if host not in self.inventory.connections:
            raise HostRefused(f"{host} is not in the inventory.")
        command = [PROGRAM, verb, shlex.quote(json.dumps(told))]
        return [*WITH_US, *ssh(host, self.inventory.connections[host], command, options=ALONE)]


def missing_content(steps: Sequence[Step], inventory: Inventory) -> Iterator[Diagnostic]:
    """Brings what steps make their disks from, before any step begins: what is replaced is not destroyed in vain."""
    hosts = BackupHosts(inventory=inventory)
    for step in steps:
        try:
            hosts.bring(step)
        except HostRefused as error:
            yield NOT_BROUGHT.at(None, f"{error}\nNothing was done.", address=str(step.address))


def asked_of(step: Step) -> tuple[str, str, int] | None:
    """(address, backup, size) that a step makes its disk from."""
    if step.action not in _MAKING:
        return None
    fields = step.want.fields() if step.want is not None else {}
    backup = (fields.get("origin") or {}).get("backup")
    return (backup["of"], backup["id"], int(fields["size"])) if backup else None
