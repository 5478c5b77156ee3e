"""Everything that the planner needs to know of this host, in one value: capacity, traits, network, resources.

It changes nothing. What cannot be read is reported as a problem, and the rest is still reported.
"""

from __future__ import annotations

import os
import platform
import threading
import time
from typing import Any, Dict, List, Mapping, Optional, Sequence, cast

from ..base import ledger
from ..base.errors import Failed, FailureCode
from ..base.kind import Seen, Told
from ..base.readings import Link, Unread
from ..base.step import Entry, HostStep, Origin
from ..hypervisor import trials
from ..hypervisor.driver import IsDescribed, SeenGuest
from ..kinds.table import KINDS
from ..net import drivers, links
from ..run import documents, origin
from . import capacity, survey
from .looking import Look

HANGS = FailureCode("STEAD-E019", "reading the host's state does not end")

# Increased when the shape changes in a way that a reader has to know.
VERSION = 1
# Seconds: less than whoever asks waits, and enough for a trial of all hypervisors.
WITHIN = 50


def observe(
    host: str, pools: Any = None, keep: bool = True, afresh: bool = False, recorded: Sequence[Entry] = ()
) -> Dict[str, Any]:
    """`recorded` are entries that the ledger should have, for the controller's store has them: these are looked for.

    Within some time: what hangs here, libvirt or a file system, is told and holds up nobody else.
    """
    look = Look(host, recorded)
    found: List[Dict[str, Any]] = []
    failures: List[Exception] = []

    def whole() -> None:
        try:
            found.append(_observe(look, pools, recorded, _traits(keep, afresh)))
        except Exception as error:  # noqa: BLE001 - raised again below, by who waits
            failures.append(error)

    thread = threading.Thread(target=whole, daemon=True)
    thread.start()
    thread.join(WITHIN)
    if failures:
        raise failures[0]
    if not found:
        text = (
            "Reading the host's state did not end within {0} seconds: {1} does not answer. Restart it, and plan again."
        )
        raise Failed(HANGS, text.format(WITHIN, look.reading))
    return found[0]


def _observe(look: Look, pools: Any, recorded: Sequence[Entry], traits: Mapping[str, Any]) -> Dict[str, Any]:
    host, begun = look.host, time.time()
    try:
        unread: List[str] = []
        made = _resources(look, recorded, unread)
        belongs = _origin(look, unread)
        found = {
            "version": VERSION,
            "host": host,
            "at": begun,
            "system": _system(look),
            "capacity": capacity.capacity(pools),
            "traits": traits,
            "links": [_link(one) for one in look.readable(look.now.links).values()],
            "origin": belongs,
            "documents": _documents(belongs, look),
            "resources": made,
            "unread": unread,
            "foreign": _foreign(look),
            "strays": _strays(look, made),
            "units": {name: unit.active for name, unit in look.readable(look.now.units).items()},
        }
    finally:
        look.close()
    found["trouble"] = look.trouble
    found["blind"] = look.blind
    found["seconds"] = round(time.time() - begun, 3)
    return found


def _origin(look: Look, unread: List[str]) -> Optional[Origin]:
    try:
        return origin.read()
    except Failed as error:
        unread.append(str(error))
        look.blind = look.blind or str(error)
        return None


def _documents(belongs: Optional[Origin], look: Look) -> Dict[str, int]:
    """Projects that belong to the API, with the revision of what is kept of each."""
    if belongs is None:
        return {}
    return {name: one["revision"] for name, one in documents.kept(belongs["site"], look.trouble).items()}


def _resources(look: Look, recorded: Sequence[Entry], unread: List[str]) -> Dict[str, List[Told]]:
    """kind -> entries of the ledger, each with what is otherwise than it says; and domains that it does not know."""
    found: Dict[str, List[Told]] = {}
    entries: List[Told] = [dict(made) for made in _ledger(look, unread)]
    begun = _ledger(look, unread, ledger.BEGUN)
    coming = {made["uuid"] for made in begun if made.get("came_from")}  # a copy that nobody has compared is not it
    for entry in entries + [dict(made, lost=True) for made in recorded if made["uuid"] not in coming]:
        look.reading = entry["address"]
        try:
            differs = _seen(entry, look)
        except Unread:
            differs = {}
        except (Failed, KeyError, TypeError) as error:
            look.trouble.append("{0}: {1}: {2}".format(entry["address"], type(error).__name__, error))
            differs = {}
        if differs is None or (entry.get("lost") and entry["kind"] not in KINDS):
            entry["gone"] = True
        elif differs:
            entry["seen"] = differs
        found.setdefault(entry["kind"], []).append(entry)
    _add_begun(found, look, begun)
    for kind, code in KINDS.items():
        entries = found.get(kind, [])
        code.report(entries, look)
        if entries:
            found[kind] = entries
    return found


def _add_begun(found: Dict[str, List[Told]], look: Look, begun: Sequence[Entry]) -> None:
    for made in begun:
        entries = found.setdefault(made["kind"], [])
        known = next((entry for entry in entries if entry["uuid"] == made["uuid"]), None)
        if known is None:
            entries.append(_begun(made, look))
        elif _is_awaited(made):  # nobody has seen whether that came up
            known["awaited"] = True


def _is_awaited(made: Mapping[str, Any]) -> bool:
    code = KINDS.get(made["kind"])
    return code is not None and code.awaited(made["want"])


def _seen(made: Mapping[str, Any], look: Look) -> Seen:
    code = KINDS.get(made["kind"])
    step = cast(HostStep, dict(made, action="update", have=None, after=[]))  # noqa: TC006 - pylint of ansible-test reads no quotes
    return code.seen(step, look) if code is not None else {}


def _begun(made: Mapping[str, Any], look: Look) -> Told:
    """Anything may be there of what is only begun. Where nothing can be seen, it has held nothing for anybody."""
    entry = dict(made, begun=True)
    try:
        return dict(entry, gone=True) if _seen(made, look) is None else entry
    except (Failed, KeyError, TypeError):
        return entry


def _ledger(look: Look, unread: List[str], suffix: str = ledger.MADE) -> List[Entry]:
    """What one entry cannot say any more is not taken for gone: then nothing is planned for this host."""
    said: List[str] = []
    found = ledger.everything(suffix=suffix, unread=said)
    unread += said
    look.trouble += said
    look.blind = look.blind or "; ".join(said)
    return found


def _foreign(look: Look) -> List[Dict[str, Any]]:
    """Domains that are not Stead's: they take room, and are left alone."""
    if not look.expects_guests():
        return []
    strange = ((uuid, guest) for uuid, guest in sorted(look.guests.items()) if not guest.label())
    return [dict(_described(guest), name=guest.name, uuid=uuid, state=guest.state) for uuid, guest in strange]


def _described(guest: SeenGuest) -> Dict[str, Any]:
    """All of it where its hypervisor tells; a definition that is odd hinders nothing here."""
    try:
        return guest.described() if isinstance(guest, IsDescribed) else guest.amounts()
    except ValueError:
        return {}


def _strays(look: Look, made: Mapping[str, List[Told]]) -> List[str]:
    """Links named as Stead's that belong to nothing in the ledger."""
    there = look.readable(look.now.links)
    return sorted(name for driver in drivers.DRIVERS.values() for name in driver.strays(made, there))


def _link(one: Link) -> Dict[str, Any]:
    found = {"name": one["ifname"], "kind": links.kind(one), "mtu": one.get("mtu", 0), "up": links.is_up(one)}
    found["mac"] = one.get("address", "")
    found["master"] = one.get("master", "")
    found["carrier"] = "LOWER_UP" in one.get("flags", ())
    addresses = [info for info in one.get("addr_info", ()) if info.get("scope") == "global"]
    found["addresses"] = ["{0}/{1}".format(info["local"], info["prefixlen"]) for info in addresses]
    if found["kind"] == "vxlan":
        found["vni"] = links.data(one).get("id")
    return found


def _traits(keep: bool, afresh: bool) -> Dict[str, Any]:
    found = trials.traits(afresh=afresh, keep=keep)
    return {
        "hypervisors": found["hypervisors"],
        "kernel": found["kernel"],
        "cpu": found["cpu"],
        **trials.hardware(),
    }


def _system(look: Look) -> Dict[str, Any]:
    release = survey.release()
    with open("/proc/uptime", encoding="ascii") as file:
        uptime = float(file.read().split()[0])
    return {
        "name": release.get("PRETTY_NAME", ""),
        "id": release.get("ID", ""),
        "version": release.get("VERSION_ID", ""),
        "architecture": platform.machine(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "uptime": uptime,
        "versions": look.versions if look.expects_guests() else {},
        "prepared": os.path.exists("/usr/lib/stead/restore"),
    }
