"""The host's half of driver iscsi: files in a directory of one host, each of which it serves as a target.

A pool that its inventory does not serve is its own host's alone.
"""

from __future__ import annotations

from ..base.errors import Failed
from ..base.readings import Readings
from ..base.work import Work
from . import clients, file_disks, iscsi_sessions, iscsi_targets
from .driver import DiskSource, Pool, Serving, StoredDisk

PROTOCOL = "iscsi"


def _snapshot(pool: Pool, uuid: str) -> StoredDisk:
    return file_disks.disk(pool, uuid + ".snapshot", "raw")


def _source(pool: Pool, name: str, form: str) -> DiskSource:
    """Of a target the name is the volume's UUID."""
    if not pool.get("server"):
        return file_disks.source(pool, name, form)
    if not clients.by_qemu(PROTOCOL):
        return DiskSource(iscsi_sessions.device_of(pool, name), device=True)
    target = "{0}/{1}".format(iscsi_targets.name_of(name), iscsi_targets.LUN)
    url = "{0}://{1}/{2}".format(PROTOCOL, clients.url_host(pool["server"]), target)
    return DiskSource(url, protocol=PROTOCOL, name=target, server=pool["server"], port=iscsi_targets.PORT)


def _require(pool: Pool) -> None:
    why = clients.silent(pool["server"], iscsi_targets.PORT)
    if why:
        text = "Nothing serves iSCSI at {0} ({1}). Give this host the role storage, and run `stead bootstrap` for it."
        raise Failed(iscsi_targets.NOT_SERVED, text.format(pool["server"], why))


def _start(_pool: Pool, _work: Work) -> None:
    """Who makes a target starts the server."""


def _offer(_pool: Pool, uuid: str, disk: StoredDisk, size: int, work: Work, grown: bool) -> None:
    iscsi_targets.ensure(uuid, disk.path, size, work, grown)


def _withdraw(_pool: Pool, uuid: str, work: Work) -> None:
    iscsi_targets.remove(uuid, work)


def _offers(_pool: Pool, uuid: str, now: Readings) -> bool:
    return iscsi_targets.name_of(uuid) in now.ask("iSCSI targets", iscsi_targets.table)


def _restore(_pool: Pool, uuid: str, disk: StoredDisk, size: int, work: Work) -> None:
    """tgt remembers no targets; it asks for them itself when it has started."""
    if iscsi_targets.runs():
        iscsi_targets.ensure(uuid, disk.path, size, work)


def _reach(pool: Pool, uuid: str, work: Work) -> None:
    if not clients.by_qemu(PROTOCOL):
        iscsi_sessions.log_in(pool, uuid, work)


def _leave(pool: Pool, uuid: str, work: Work) -> None:
    if not clients.by_qemu(PROTOCOL):
        iscsi_sessions.log_out(pool, uuid, work)


DRIVER = file_disks.files(
    name="iscsi",
    formats=("raw",),
    disk=file_disks.disk,
    source=_source,
    snapshot=_snapshot,
    serving=Serving(
        protocol=PROTOCOL,
        port=iscsi_targets.PORT,
        units=("tgt",),
        client=("iscsiadm", "--version"),
        require=_require,
        start=_start,
        offer=_offer,
        withdraw=_withdraw,
        offers=_offers,
        restore=_restore,
        reach=_reach,
        leave=_leave,
    ),
)
