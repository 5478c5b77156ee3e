"""The kernel's iSCSI client, for hosts whose QEMU has none of its own.

A target is logged in to for as long as a guest has the volume. Not tried on real hosts: the kernel that Stead is
tested on has no such client.
"""

from __future__ import annotations

import glob
import os
from typing import List, Sequence

from ..base import commands, paths
from ..base.errors import Failed, FailureCode
from ..base.work import Work
from . import accounts, iscsi_targets
from .driver import Pool

REFUSED = FailureCode("STEAD-E132", "the iSCSI client refuses")

# What open-iscsi says of a session that is there already, and of one that is not.
ALREADY, NONE = 15, 21


# Where open-iscsi keeps what it knows of a target: Debian's, and Red Hat's.
RECORDS = ("/etc/iscsi/nodes", "/var/lib/iscsi/nodes")
_LINE = "node.session.auth.password = "


def device_of(pool: Pool, uuid: str) -> str:
    words = (pool["server"], iscsi_targets.PORT, iscsi_targets.name_of(uuid), iscsi_targets.LUN)
    return "/dev/disk/by-path/ip-{0}:{1}-iscsi-{2}-lun-{3}".format(*words)


def log_in(pool: Pool, uuid: str, work: Work) -> None:
    if os.path.exists(device_of(pool, uuid)):
        return
    portal = _portal(pool, uuid)
    work.run([*portal, "--op", "new"])
    work.run([*portal, "--op", "update", "--name", "node.startup", "--value", "automatic"])
    if accounts.used(uuid):
        work.run([*portal, "--op", "update", "--name", "node.session.auth.authmethod", "--value", "CHAP"])
        work.run([*portal, "--op", "update", "--name", "node.session.auth.username", "--value", accounts.user_of(uuid)])
        work.act("tell open-iscsi the secret of {0}".format(uuid), _record, pool, uuid)
    _tell([*portal, "--login"], ALREADY, work)
    work.run(["udevadm", "settle"])


def log_out(pool: Pool, uuid: str, work: Work) -> None:
    if os.path.exists(device_of(pool, uuid)):
        portal = _portal(pool, uuid)
        _tell([*portal, "--logout"], NONE, work)
        _tell([*portal, "--op", "delete"], NONE, work)


def _record(pool: Pool, uuid: str) -> None:
    """Into its own file: `iscsiadm` takes a secret only as an argument, which every user of the host may read."""
    portal = "{0},{1}".format(pool["server"], iscsi_targets.PORT)
    stem = os.path.join(iscsi_targets.name_of(uuid), glob.escape(portal))
    for folder in RECORDS:
        for path in glob.glob(os.path.join(folder, stem + "*", "*")):
            lines = (paths.read_bytes(path) or b"").decode().splitlines()
            kept = [line for line in lines if not line.startswith(_LINE)]
            end = kept.index("# END RECORD") if "# END RECORD" in kept else len(kept)
            kept.insert(end, _LINE + accounts.used(uuid))
            paths.write(path, "\n".join(kept) + "\n")


def _portal(pool: Pool, uuid: str) -> List[str]:
    portal = "{0}:{1}".format(pool["server"], iscsi_targets.PORT)
    return ["iscsiadm", "--mode", "node", "--targetname", iscsi_targets.name_of(uuid), "--portal", portal]


def _tell(words: Sequence[str], fine: int, work: Work) -> None:
    work.done.append(commands.shown(words))
    if not work.check:
        status, out, said = commands.attempt(words)
        if status not in (0, fine):
            text = "`{0}` ended with status {1}: {2}"
            raise Failed(REFUSED, text.format(commands.shown(words), status, said or out))
