"""Instances, from nothing to answering and back. How a guest is made and run is its hypervisor's.

It does what the step's action says and judges nothing: whether a change needs a reboot or a new disk was planned.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Optional, cast

from ...wire import instance as wire
from ..base import ledger, paths
from ..base.errors import Failed, FailureCode
from ..base.kind import HostKind
from ..base.step import HostStep, Want
from ..base.work import Work
from ..hypervisor import drivers
from ..hypervisor.driver import Suspends, adjusts, adopts, pauses, suspends
from ..images import tidying
from ..net import ports
from ..run import waiting
from ..storage import disk_moves, instance_disks, instance_snapshots
from ..storage import drivers as storage

if TYPE_CHECKING:
    from ..hypervisor.driver import Guest, SeenGuest
    from ..observe.looking import Look
    from ..storage.driver import StoredDisk

HERE = FailureCode("STEAD-E307", "the instance cannot come to this host")
ON = FailureCode("STEAD-E308", "the instance was started while it was to move")
FORGOTTEN = FailureCode("STEAD-E306", "the hypervisor does not know the instance")
NOT_HERE = FailureCode("STEAD-E313", "the domain that is to be taken over is not on this host")
RESTARTS = ("reboot", "rebuild", "replace")
# States in which it is on: one that is paused has its memory, and what it opened.
IS_ON = ("running", "paused")
NEW_DISK = ("rebuild", "replace")


def adopt(step: HostStep, work: Work) -> None:
    """A guest that nobody's Stead made. Its volumes and networks are this host's by now."""
    want = step["want"]
    guest = drivers.find(want["uuid"], work.sessions, want["hypervisor"])
    if guest is None:
        raise Failed(NOT_HERE, "The hypervisor has no guest with UUID {0}. Plan again.".format(want["uuid"]))
    adopts(guest).adopt(step, work)
    work.directory(os.path.join(paths.INSTANCES, want["uuid"]), paths.PASSABLE)
    _guard(want, work)


def ensure(step: HostStep, work: Work) -> None:
    want, action = step["want"], step["action"]
    hypervisor = drivers.of(want, work.sessions)
    hypervisor.check(want)
    guest = drivers.find(want["uuid"], work.sessions, want["hypervisor"])
    was_on = guest is not None and guest.is_on()
    disk_moves.end("instances", step["uuid"], work)
    for volume in instance_disks.attached(want):  # it is to run with them here, whatever was begun
        disk_moves.end("volumes", volume["uuid"], work)
    restarts = action in RESTARTS or instance_snapshots.is_unfinished(step["uuid"])
    goes_on = isinstance(guest, Suspends) and guest.is_suspended() and not restarts
    if guest is not None and restarts:
        guest.stop(want["stop_timeout"], work)
    arrived = disk_moves.arrived(step)
    half_came = guest is None and ledger.came_from("instances", step["uuid"]) and not arrived
    if (action in NEW_DISK or half_came) and not instance_snapshots.asked(step):
        instance_disks.remove_root(_recorded(step), work)
        instance_snapshots.give_up(step["uuid"], work)
    instance_disks.ensure(want, work)
    instance_snapshots.go_back(step, work)
    instance_disks.grow_root(want, guest, work)
    _guard(want, work)
    plugs = ports.plugs(want, work)
    defined = hypervisor.define(step, plugs, work)
    if defined is None:  # check mode, and it is not there
        work.done += ["start {0}".format(want["name"])] if want["state"] in IS_ON else []
        return
    if was_on and not restarts:
        adjusts(defined).adjust(step, plugs, work)
    instance_disks.let_go(_recorded(step), want, work)
    _unplugged(_recorded(step), want, work)
    _bring(defined, want, work)
    if goes_on and want["state"] in IS_ON and not work.check:  # it comes with the devices and the label that it had
        adjusts(defined).adjust(step, plugs, work)
    if action in NEW_DISK or "cdrom" in want:
        tidying.tidy(work)  # what it stood on before may be nobody's now


def _bring(guest: Guest, want: Want, work: Work) -> None:
    state = want["state"]
    if state == "running":
        guest.start(work)
    elif state == "paused":
        pauses(guest).pause(work)
    elif state == "suspended":
        suspends(guest).suspend(work)
    else:
        guest.stop(want["stop_timeout"], work)


def receive(step: HostStep, work: Work) -> None:
    """Disks of its own are made as they begin: what was written since comes with the guest.

    One that is here already is another try's, and then this host's ledger says so. Else it may be the very disk that
    the guest writes to, in a directory that hosts share.
    """
    want = step["want"]
    drivers.of(want, work.sessions).check(want)
    guest = drivers.find(want["uuid"], work.sessions, want["hypervisor"])
    if guest is not None and guest.is_on():
        raise Failed(HERE, "The guest is on this host already. Plan again: the next plan knows where it runs.")
    if not ledger.wants("instances", step["uuid"]) and instance_disks.has_own(want):
        text = (
            "A disk of the guest is on this host already. Where hosts share the directory of pool {0}, make it a pool "
            "of type nfs, and boot from volumes."
        )
        raise Failed(HERE, text.format(want["root"]["pool"]["name"]))
    disk_moves.receive(instance_disks.own(want), step, work)
    instance_disks.ensure(want, work)
    _guard(want, work)


def send(step: HostStep, work: Work) -> None:
    """One that is off: its disks, to be read. One that runs brings them along."""
    if "way" not in step:
        return
    want = _recorded(step)
    guest = drivers.find(step["uuid"], work.sessions, want.get("hypervisor", ""))
    if guest is not None and guest.is_on():
        raise Failed(ON, "The guest was started meanwhile. Plan again: the next plan moves it while it runs.")
    disk_moves.serve(instance_disks.own(want), step, work)


def stay(step: HostStep, work: Work) -> None:
    disk_moves.stop(step["uuid"], work)


def remove(step: HostStep, work: Work) -> None:
    # One that the ledger lost left things where they usually are.
    want = step.get("have") or {"uuid": step["uuid"], "root": {"pool": {"name": "default"}, "size": 1}}
    guest = drivers.find(step["uuid"], work.sessions, want.get("hypervisor", ""))
    if guest is not None:
        guest.stop(want.get("stop_timeout", 60), work)
        guest.undefine(work)
    ports.remove(want, work)
    disk_moves.end("instances", step["uuid"], work)
    instance_disks.remove(want, work)
    tidying.tidy(work)


def guard(step: HostStep, work: Work) -> None:
    """What guards interfaces is the kernel's, and is gone."""
    ports.restore(step["want"], work)


def restore(step: HostStep, work: Work) -> None:
    """What has to run is started here and never by its hypervisor, which would start what runs elsewhere by now."""
    want = step["want"]
    if step["start"] and not step["held"] and want["state"] in IS_ON and want["autostart"]:
        guest = drivers.find(want["uuid"], work.sessions, want["hypervisor"])
        if guest is None:
            raise Failed(
                FORGOTTEN, "The ledger has the instance, but the hypervisor does not. `stead apply` makes it again."
            )
        instance_snapshots.refuse_unfinished(want["uuid"])
        storage.reach(instance_disks.attached(want), work)
        _bring(guest, want, work)


def seen(step: HostStep, look: Look) -> Optional[Want]:
    want = step["want"]
    guest = look.guests.get(want["uuid"])
    if guest is None:
        return {} if look.blind else None
    found = guest.fields(want)
    for key, nic in found.get("nics", {}).items():
        if nic.get("filtered") and look.differing(_guard_of(waiting.let_in(nic, key, want), want["ports"][key]), step):
            nic["filtered"] = False  # it may claim to be anybody, or be reached by everybody
    # The one function that compares says what matters of it.
    differing = {path.split(".")[0] for path, _wanted, _there in wire.compare(want, dict(want, **found))}
    return {name: value for name, value in found.items() if name in differing}


def _guard(want: Want, work: Work) -> None:
    for key, nic in sorted(want["nics"].items()):
        if nic["filtered"]:
            ports.ensure(waiting.let_in(nic, key, want), want["ports"][key], work)


def _guard_of(nic: Want, port: Want) -> Callable[[HostStep, Work], None]:
    return lambda _step, work: ports.ensure(nic, port, work)


def _recorded(step: HostStep) -> Want:
    """What is there, as this host knows it: its files lie where that says."""
    made = ledger.read("instances", step["uuid"])
    found: Want = made["want"] if made is not None else step.get("have") or step["want"]
    return found


def _unplugged(before: Want, want: Want, work: Work) -> None:
    """What guarded interfaces that it has no more."""
    ports.remove(before, work, but={port["mac"] for port in want["ports"].values()})


def report(entries: List[Dict[str, Any]], look: Look) -> None:
    """A guest says itself what it was made from. One of Stead's that the ledger lost is told as well as it can be."""
    if not (entries or look.expects_guests()):
        return
    for entry in entries:
        guest = look.guests.get(entry["uuid"])
        if guest is not None:
            entry["state"] = guest.state
            entry["made_from"] = guest.label().get("digest", "")
            _moved(entry, guest)
            if _came(entry):
                _tell_come(entry, look)
    known = {entry["uuid"] for entry in entries}
    for uuid, guest in sorted(look.guests.items()):
        own = guest.label()
        if own and uuid not in known:
            want = dict(guest.fields({}), uuid=uuid)
            entry = {"address": own.get("address", ""), "uuid": uuid, "kind": "instances", "digest": "", "want": want}
            entries.append(dict(entry, state=guest.state, made_from="", lost=True, told=guest.told()))


def _moved(entry: Dict[str, Any], guest: SeenGuest) -> None:
    """A run was killed while it moved. Until it goes on, here or there, both hosts have it, and it is paused; or off,
    where its host was, since."""
    if guest.moving or (entry.get("going_to") and guest.state != "running"):
        entry["moving"] = True
    elif entry.get("going_to"):  # it stayed, and its ledger does not say so
        entry["lost"] = True


def _came(entry: Mapping[str, Any]) -> bool:
    return bool(entry.get("begun") and entry.get("came_from") and not entry.get("moving"))


def _tell_come(entry: Dict[str, Any], look: Look) -> None:
    """It is here, though nobody has booked it: told as it is, for its host may have been off since."""
    del entry["begun"]
    entry["lost"] = True
    differs = seen(cast(HostStep, entry), look)  # noqa: TC006 - pylint of ansible-test reads no quotes
    if differs:
        entry["seen"] = differs


def saved(want: Any) -> Optional[StoredDisk]:
    """Its root disk; one that boots from a volume has none."""
    return storage.root_disk(want) if want["root"].get("size") and "volume" not in want["root"] else None


KIND = HostKind(
    adopt=adopt,
    ensure=ensure,
    remove=remove,
    seen=seen,
    restore=restore,
    receive=receive,
    send=send,
    stay=stay,
    saved=saved,
    guard=guard,
    asks_first=True,
    awaited=waiting.is_needed,
    report=report,
)
