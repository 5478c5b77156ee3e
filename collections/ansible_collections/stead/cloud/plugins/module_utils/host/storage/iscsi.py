"""The host's half of driver iscsi: files in a directory of one host, each of which it serves as a target.

A pool that its inventory does not serve is its own host's alone.
"""

from __future__ import annotations

import json

from ..base import libvirt_client
from ..base.errors import Failed
from ..base.readings import Readings
from ..base.work import Work
from . import accounts, clients, file_disks, iscsi_sessions, iscsi_targets, libvirt_secrets
from .driver import DiskSource, Pool, Serving, StoredDisk

PROTOCOL = "iscsi"
OBJECT = "account"  # what qemu-img calls the secret


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
    found = DiskSource(url, protocol=PROTOCOL, name=target, server=pool["server"], port=iscsi_targets.PORT)
    return _with_account(found, name) if accounts.used(name) else found


def _with_account(source: DiskSource, uuid: str) -> DiskSource:
    """Only qemu-img is told of the file with the secret: guests are given it by libvirt."""
    how = {
        "driver": PROTOCOL,
        "transport": "tcp",
        "portal": "{0}:{1}".format(clients.url_host(source.server), source.port),
        "target": iscsi_targets.name_of(uuid),
        "lun": iscsi_targets.LUN,
        "user": accounts.user_of(uuid),
        "password-secret": OBJECT,
    }
    return source._replace(
        path="json:" + json.dumps({"file": how}),
        objects=("--object", "secret,id={0},file={1}".format(OBJECT, accounts.used_file(uuid))),
        user=accounts.user_of(uuid),
        secret=uuid,
    )


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
    target = now.ask("iSCSI targets", iscsi_targets.table).get(iscsi_targets.name_of(uuid))
    return target is not None and iscsi_targets.is_guarded(uuid, target)


def _restore(_pool: Pool, uuid: str, disk: StoredDisk, size: int, work: Work) -> None:
    """tgt remembers no targets; it asks for them itself when it has started."""
    if iscsi_targets.runs():
        iscsi_targets.ensure(uuid, disk.path, size, work)


def _guard(_pool: Pool, uuid: str, work: Work) -> None:
    accounts.make(uuid, work)


def _hand(_pool: Pool, uuid: str, alone: bool, work: Work) -> str:
    return iscsi_targets.hand(uuid, alone, work)


def _reach(pool: Pool, uuid: str, work: Work) -> None:
    secret = accounts.brought(uuid, work)
    known = secret == accounts.used(uuid)
    given = clients.by_qemu(PROTOCOL) and libvirt_client.is_here()
    if secret and given and not (known and libvirt_secrets.is_set(uuid, work)):
        libvirt_secrets.put(uuid, libvirt_secrets.Usage(PROTOCOL, iscsi_targets.name_of(uuid)), secret.encode(), work)
    if not known:  # last: a run that is killed before begins anew
        accounts.keep_used(uuid, secret, work)
    if not clients.by_qemu(PROTOCOL):
        iscsi_sessions.log_in(pool, uuid, work)


def _leave(pool: Pool, uuid: str, work: Work) -> None:
    if not clients.by_qemu(PROTOCOL):
        iscsi_sessions.log_out(pool, uuid, work)
    elif libvirt_client.is_here():
        libvirt_secrets.forget(uuid, work)
    accounts.forget_used(uuid, work)


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
        guard=_guard,
        hand=_hand,
        offer=_offer,
        withdraw=_withdraw,
        offers=_offers,
        restore=_restore,
        reach=_reach,
        leave=_leave,
    ),
)
