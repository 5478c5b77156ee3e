"""Snapshots of volumes: a copy of what was on the volume at one moment, which needs neither it nor its guest any more.

In a pool of type dir a volume in use is copied by libvirt's backup, which holds the moment while the guest goes on
writing. In the others its own pool does it: see `disks`.
"""

from __future__ import annotations

import functools
import time
from xml.etree import ElementTree as Xml

from ..base.elements import element
from ..base.errors import Failed
from ..storage import disk_files, disks, pools

LOOK = 0.2


def ensure(step, work):
    from . import volume

    want = step["want"]
    copy = disks.snapshot(want["pool"], want["uuid"])
    if copy.exists():
        return
    if want["freeze"] and pools.kind(want["pool"]) != "dir":
        text = "In pool {0} of type {1} snapshots are taken without asking the guest. Set freeze: false."
        raise Failed(text.format(want["pool"]["name"], pools.kind(want["pool"])))
    source = disks.disk(want["pool"], want["volume"]["uuid"], want["format"])
    if not source.exists():
        if work.check:
            work.done.append("snapshot of {0}".format(want["volume"]["address"]))
            return
        raise Failed("Volume {0} is not on this host.".format(want["volume"]["address"]))
    users = volume.users_of(want["volume"]["uuid"], source.path, work)
    active = [domain for domain in users if domain.isActive()]
    if active and pools.kind(want["pool"]) == "dir":
        call = functools.partial(_in_use, active[0], want["volume"]["uuid"], source.path, want["freeze"])
        work.act("back up {0} in use".format(source.path), copy.take, call)
    else:
        source.clone(copy, work)


def remove(step, work):
    want = step.get("have")
    if want is not None:
        disks.snapshot(want["pool"], want["uuid"]).remove(work)


def seen(step, _look):
    want = step["want"]
    return {} if disks.snapshot(want["pool"], want["uuid"]).exists() else None


def restore(_step, _work):
    """It lies on a disk."""


def _in_use(domain, uuid, source, freeze, new):
    import libvirt

    from . import volume

    live = Xml.fromstring(domain.XMLDesc(0))
    device = volume.target_in(live, uuid, source)
    task = Xml.Element("domainbackup", {"mode": "push"})
    listed = element(task, "disks")
    for disk in live.findall("devices/disk"):
        name = disk.find("target").get("dev")
        chosen = element(listed, "disk", {"name": name, "backup": "yes" if name == device else "no"})
        if name == device:
            chosen.set("type", "file")
            element(chosen, "target", {"file": new})
            element(chosen, "driver", {"type": "qcow2"})
    frozen = freeze and _freeze(domain)
    try:
        domain.backupBegin(Xml.tostring(task, encoding="unicode"), None)
    except libvirt.libvirtError as error:
        raise Failed("The guest's volume cannot be copied: {0}".format(error)) from error
    finally:
        if frozen:
            domain.fsThaw()
    _finished(domain)


def _freeze(domain):
    """Without an agent in the guest the copy is what a power cut would have left, which file systems cope with."""
    import libvirt

    try:
        return domain.fsFreeze() >= 0
    except libvirt.libvirtError as error:
        raise Failed(
            "The guest's agent does not freeze its file systems ({0}). Set freeze: false.".format(error)
        ) from error


def _finished(domain):
    import libvirt

    until = time.monotonic() + disk_files.CONVERTS_WITHIN
    while domain.jobStats()["type"] != libvirt.VIR_DOMAIN_JOB_NONE:
        if time.monotonic() > until:
            domain.abortJob()
            raise Failed("The copy of the volume did not end.")
        time.sleep(LOOK)
    ended = domain.jobStats(libvirt.VIR_DOMAIN_JOB_STATS_COMPLETED)
    if ended.get("type") == libvirt.VIR_DOMAIN_JOB_FAILED:
        raise Failed("The copy of the volume failed: {0}".format(ended.get("errmsg", "no reason given")))
