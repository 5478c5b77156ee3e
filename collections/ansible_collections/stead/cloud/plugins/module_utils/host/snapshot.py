"""Snapshots of volumes: a copy of what was on the volume at one moment, which needs neither it nor its guest any more.

A volume in use is copied by libvirt's backup, which holds the moment while the guest goes on writing.
"""

from __future__ import annotations

import os
import time
from xml.etree import ElementTree as Xml

from . import disk_files, ledger, places, pools
from .elements import element
from .failing import Failed

LOOK = 0.2


def path_of(pool, uuid):
    return pools.path_of(pool, uuid + ".snapshot", "qcow2")


def ensure(step, work):
    from . import volume

    want = step["want"]
    path = path_of(want["pool"], want["uuid"])
    if os.path.exists(path):
        return
    source = pools.path_of(want["pool"], want["volume"]["uuid"], want["format"])
    if not os.path.exists(source):
        if work.check:
            work.done.append("snapshot of {0}".format(want["volume"]["address"]))
            return
        raise Failed("Volume {0} is not on this host.".format(want["volume"]["address"]))
    new = path + ".new"
    work.remove(new)
    active = [domain for domain in volume.users_of(source, work) if domain.isActive()]
    if active:
        work.act("back up {0} in use".format(source), _in_use, active[0], source, new, want["freeze"])
    else:
        words = ["qemu-img", "convert", "-q", "-f", want["format"], "-O", "qcow2", source, new]
        work.run(words, timeout=disk_files.CONVERTS_WITHIN)
    if not work.check:
        os.chmod(new, places.PRIVATE)
        os.replace(new, path)


def remove(step, work):
    made = ledger.read("snapshots", step["uuid"])
    want = made["want"] if made else step.get("have")
    if want is not None:
        work.remove(path_of(want["pool"], want["uuid"]))


def intact(want):
    return os.path.exists(path_of(want["pool"], want["uuid"]))


def _in_use(domain, source, new, freeze):
    import libvirt

    live = Xml.fromstring(domain.XMLDesc(0))
    device = next(
        disk.find("target").get("dev")
        for disk in live.findall("devices/disk")
        if disk.find("source") is not None and disk.find("source").get("file") == source
    )
    task = Xml.Element("domainbackup", {"mode": "push"})
    disks = element(task, "disks")
    for disk in live.findall("devices/disk"):
        name = disk.find("target").get("dev")
        chosen = element(disks, "disk", {"name": name, "backup": "yes" if name == device else "no"})
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
