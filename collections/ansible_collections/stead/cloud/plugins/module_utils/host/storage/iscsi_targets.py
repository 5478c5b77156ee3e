"""iSCSI targets, one for each volume, by tgt. What tgtadm is told, and how it answers, is here alone.

tgtd keeps nothing: after each of its starts `restoring` makes the targets of the ledger again.
"""

from __future__ import annotations

import json
import os
import re
import socket
import threading
import time
from typing import Any, Dict, List

from ..base import commands, paths
from ..base.errors import Failed, FailureCode
from ..base.work import Work
from . import accounts, tgtd

NOT_SERVED = FailureCode("STEAD-E130", "nothing serves iSCSI")
IN_USE = FailureCode("STEAD-E131", "the volume is still attached")
NO_CLIENTS = FailureCode("STEAD-E133", "the host does not know who may use its volumes")
NO_ACCOUNT = FailureCode("STEAD-E135", "a target has no account although it should")

UNIT = "stead-iscsi.service"
PORT = 3260
LUN = 1  # 0 is tgt's own controller
NAME = "iqn.2026-01.cloud.stead:"
TOLD = "/etc/stead/storage.json"
_ADM = ["tgtadm", "--lld", "iscsi"]
_TARGET = re.compile(r"Target (\d+): (\S+)\Z")
_LISTS = {"Account information:": "accounts", "ACL information:": "clients"}
# Two steps at once would choose the same number for a target.
_choosing = threading.Lock()
MEGABYTE = 10**6  # what tgtadm tells sizes in, rounded
# Seconds between questions to whoever is logged in, and how many may go unanswered: a host without power is logged out.
ASKS = (("nop_interval", "5"), ("nop_count", "4"))

# While a volume in use is opened again at its new size, what its users ask would be refused. Their packets are dropped
# for that moment instead, and TCP sends them again. Should this run be killed, the kernel ends it by itself.
HELD = 3
DRAINS = 0.2
STARTS = 20
HOLD = """table inet stead_hold
delete table inet stead_hold
table inet stead_hold {{
  set ports {{ type inet_service; flags timeout; elements = {{ {0} timeout {1}s }} }}
  chain input {{ type filter hook input priority -10; policy accept; tcp dport @ports drop; }}
}}
"""


def name_of(uuid: str) -> str:
    return NAME + uuid


def table() -> Dict[str, Any]:
    """name -> {"number", "path", "megabytes", "accounts", "clients"}; nothing where no tgtd runs."""
    try:
        status, out, _said = commands.attempt([*_ADM, "--op", "show", "--mode", "target"])
    except Failed:
        return {}
    return parse(out) if status == 0 else {}


def parse(text: str) -> Dict[str, Any]:
    found: Dict[str, Any] = {}
    target: Dict[str, Any] = {}
    lun, listed = "", ""
    for line in text.splitlines():
        match = _TARGET.match(line.strip())
        key, _colon, told = line.strip().partition(": ")
        if match:
            target = _nothing(int(match.group(1)))
            found[match.group(2)], lun, listed = target, "", ""
        elif key == "LUN":
            lun = told
        elif key == "Backing store path" and lun == str(LUN):
            target["path"] = told
        elif key == "Size" and lun == str(LUN):
            target["megabytes"] = int(told.split()[0])
        elif line.startswith("    ") and line[4:5] != " ":
            listed = _LISTS.get(line.strip(), "")
        elif listed and line.strip():
            target[listed].append(line.strip())
    return found


def _nothing(number: int) -> Dict[str, Any]:
    return {"number": number, "path": "", "megabytes": 0, "accounts": [], "clients": []}


def ensure(uuid: str, path: str, size: int, work: Work, grown: bool = False) -> None:
    with _choosing:
        there = table()
        name = name_of(uuid)
        target = there.get(name)
        if target is None:
            _require(work)
            number = 1 + max([one["number"] for one in there.values()] or [0])
            target = _nothing(number)
            work.run(_target("new", number) + ["--targetname", name])
            for one, value in ASKS:
                work.run(_target("update", number) + ["--name", one, "--value", value])
        number = int(target["number"])
        _guard(uuid, target, work)  # before anybody is let in
        if target["path"] != path:
            _open(uuid, number, target, path, work)
        elif grown or abs(target["megabytes"] * MEGABYTE - size) > MEGABYTE:
            _reopen(number, path, work)
        allowed = clients()
        for one in sorted(set(allowed) - set(target["clients"])):
            work.run(_target("bind", number) + ["--initiator-address", one])
        for one in sorted(set(target["clients"]) - set(allowed)):
            work.run(_target("unbind", number) + ["--initiator-address", one])


def remove(uuid: str, work: Work) -> None:
    with _choosing:
        target = table().get(name_of(uuid))
        if target is not None:
            users = [] if work.check else sessions(target["number"])  # another step may be what detaches it
            if users:
                text = "Volume {0} is still attached: {1} has it open. Detach it there first."
                raise Failed(IN_USE, text.format(uuid, ", ".join(users)))
            work.run(_target("delete", target["number"]))
        if accounts.served(uuid):
            if runs():
                work.act("remove account {0}".format(accounts.user_of(uuid)), tgtd.remove, accounts.user_of(uuid))
            accounts.forget_served(uuid, work)


def hand(uuid: str, alone: bool, work: Work) -> str:
    """The secret of a volume. One that has none yet is given one when nobody uses it, and nobody but who asks will:
    who has it open without a secret could not open it again."""
    if accounts.served(uuid) or not alone:
        return accounts.served(uuid)
    with _choosing:
        target = table().get(name_of(uuid))
        if target is not None and not sessions(target["number"]):
            accounts.make(uuid, work)
            _guard(uuid, dict(target, accounts=[]), work)  # an account that is there has another secret
    return accounts.served(uuid)


def is_guarded(uuid: str, target: Dict[str, Any]) -> bool:
    return not accounts.served(uuid) or accounts.user_of(uuid) in target["accounts"]


def _guard(uuid: str, target: Dict[str, Any], work: Work) -> None:
    if is_guarded(uuid, target):
        return
    user = accounts.user_of(uuid)
    work.act("let in {0} alone, with its secret".format(user), _bind, int(target["number"]), uuid)
    if not work.check and user not in table()[name_of(uuid)]["accounts"]:
        text = "tgtd took account {0}, and target {1} does not have it. Stead knows tgt 1.0.85: install that."
        raise Failed(NO_ACCOUNT, text.format(user, name_of(uuid)))


def _bind(number: int, uuid: str) -> None:
    """An account that a killed run left may have had another secret."""
    user = accounts.user_of(uuid)
    tgtd.remove(user)
    tgtd.add(user, accounts.served(uuid))
    tgtd.bind(number, user)


def sessions(number: int) -> List[str]:
    """Addresses of those who are logged in."""
    words = [*_ADM, "--op", "show", "--mode", "conn", "--tid", str(number)]
    lines = [line.strip() for line in commands.attempt(words)[1].splitlines()]
    return sorted({line.partition(": ")[2] for line in lines if line.startswith("IP Address: ")})


def clients() -> List[str]:
    """Addresses of the hosts of the inventory, as the role storage wrote them down."""
    data = paths.read_bytes(TOLD)
    if data is None:
        raise Failed(
            NO_CLIENTS, "{0} is missing: nobody could use the volume. Run `stead bootstrap` for this host.".format(TOLD)
        )
    try:
        return sorted({str(socket.getaddrinfo(one, None)[0][4][0]) for one in json.loads(data)["clients"]})
    except OSError as error:
        raise Failed(NO_CLIENTS, "A host's name in {0} has no address here: {1}".format(TOLD, error)) from error


def runs() -> bool:
    return commands.attempt([*_ADM, "--op", "show", "--mode", "system"])[0] == 0


def _require(work: Work) -> None:
    if work.check or runs():
        return
    if os.path.exists("/etc/systemd/system/" + UNIT):
        # It restores the volumes itself when it has started, and for that waits until this run is over.
        work.run(["systemctl", "start", "--no-block", UNIT])
        until = time.monotonic() + STARTS
        while not runs() and time.monotonic() < until:
            time.sleep(DRAINS)
    if not runs():
        text = "Nothing serves iSCSI here: `systemctl status {0}` says why; `stead bootstrap` sets it up."
        raise Failed(NOT_SERVED, text.format(UNIT))


def _open(uuid: str, number: int, target: Dict[str, Any], path: str, work: Work) -> None:
    if target["path"]:
        work.run(_unit("delete", number))
    work.run([*_unit("new", number), "--backing-store", path])
    # Hosts that look at disks from several sides know them by these: tgt's own are the same on every storage host.
    known = "scsi_id=stead-{0},scsi_sn={0},thin_provisioning=1".format(uuid.replace("-", "")[:16])
    work.run([*_unit("update", number), "--params", known])


def _reopen(number: int, path: str, work: Work) -> None:
    again = [*_unit("update", number), "--params", "online=0,path={0}".format(path)]
    if work.check or not sessions(number):
        work.run(again)
        return
    commands.run(["nft", "-f", "-"], feed=HOLD.format(PORT, HELD))
    try:
        time.sleep(DRAINS)
        work.run(again)
    finally:
        commands.attempt(["nft", "delete", "table", "inet", "stead_hold"])


def _target(operation: str, number: int) -> List[str]:
    return [*_ADM, "--op", operation, "--mode", "target", "--tid", str(number)]


def _unit(operation: str, number: int) -> List[str]:
    return [*_ADM, "--op", operation, "--mode", "logicalunit", "--tid", str(number), "--lun", str(LUN)]
