"""Copies of disks of a running guest as of one moment, by libvirt's backup: the guest goes on writing meanwhile."""

from __future__ import annotations

import contextlib
import time
from typing import Any, Mapping, Optional
from xml.etree import ElementTree as Xml

from ...base.elements import element, inner
from ...base.errors import Failed, FailureCode

NO_COPY = FailureCode("STEAD-E305", "a volume in use cannot be copied")
LOOK = 0.2
# Seconds. As long as qemu-img may take for as much.
ENDS_WITHIN = 3600
ABORTS_WITHIN = 30
ANSWERS_WITHIN = 10  # an agent; it is the tenant's, and may never
AGENT = "org.qemu.guest_agent.0"


def take(domain: Any, paths: Mapping[str, str], freeze: Optional[bool]) -> bool:
    import libvirt

    xml = Xml.fromstring(domain.XMLDesc(0))
    task = _task(xml, paths)
    frozen = freeze is not False and _freeze(domain, xml, must=bool(freeze))
    try:
        domain.backupBegin(Xml.tostring(task, encoding="unicode"), None)
    except libvirt.libvirtError as error:
        raise Failed(NO_COPY, "libvirt refuses it: {0}. Stop the guest, or try again.".format(error)) from error
    finally:
        if frozen:
            _thaw(domain)
    _wait(domain)
    return frozen


def _task(xml: Xml.Element, paths: Mapping[str, str]) -> Xml.Element:
    task = Xml.Element("domainbackup", {"mode": "push"})
    listed = element(task, "disks")
    for disk in xml.findall("devices/disk"):
        name = inner(disk, "target").get("dev", "")
        chosen = element(listed, "disk", {"name": name, "backup": "yes" if name in paths else "no"})
        if name in paths:
            chosen.set("type", "file")
            element(chosen, "target", {"file": paths[name]})
            element(chosen, "driver", {"type": "qcow2"})
    return task


def abandon(domain: Any, path: str) -> None:
    """A job of whoever was killed goes on without them. Jobs that write elsewhere are another's."""
    import libvirt

    try:
        if _has_agent(domain, Xml.fromstring(domain.XMLDesc(0))):
            domain.agentSetResponseTimeout(ANSWERS_WITHIN)
            _thaw(domain)  # they may have been killed while its file systems were frozen
        told = Xml.fromstring(domain.backupGetXMLDesc(0))
        if path in {one.get("file") for one in told.iter("target")}:
            domain.abortJob()
            _ended(domain)
    except libvirt.libvirtError as error:
        if error.get_error_code() not in (libvirt.VIR_ERR_NO_DOMAIN_BACKUP, libvirt.VIR_ERR_NO_DOMAIN):
            raise Failed(NO_COPY, "Its copy cannot be ended: {0}.".format(error)) from error


def _ended(domain: Any) -> None:
    until = time.monotonic() + ABORTS_WITHIN
    while domain.backupGetXMLDesc(0) and time.monotonic() < until:  # else fails: there is none any more
        time.sleep(LOOK)


def _freeze(domain: Any, xml: Xml.Element, must: bool) -> bool:
    """Without an agent in the guest the copy is what a power cut would have left, which file systems cope with."""
    import libvirt

    if not must and not _has_agent(domain, xml):
        return False
    try:
        domain.agentSetResponseTimeout(ANSWERS_WITHIN)
        return bool(domain.fsFreeze() >= 0)
    except libvirt.libvirtError as error:
        _thaw(domain)  # whoever was killed may have left it frozen
        if not must:
            return False
        text = "The guest's agent does not freeze its file systems ({0}). Set freeze: false."
        raise Failed(NO_COPY, text.format(error)) from error


def _has_agent(domain: Any, xml: Xml.Element) -> bool:
    """One that stands still answers nothing."""
    import libvirt

    channels = (one.attrib for one in xml.findall("devices/channel/target"))
    connected = any(one.get("name") == AGENT and one.get("state") == "connected" for one in channels)
    return connected and domain.state()[0] == libvirt.VIR_DOMAIN_RUNNING


def _thaw(domain: Any) -> None:
    """An agent that does not is the guest's own: nobody else can thaw it."""
    import libvirt

    with contextlib.suppress(libvirt.libvirtError):
        domain.fsThaw()


def _wait(domain: Any) -> None:
    import libvirt

    until = time.monotonic() + ENDS_WITHIN
    while domain.jobStats()["type"] != libvirt.VIR_DOMAIN_JOB_NONE:
        if time.monotonic() > until:
            domain.abortJob()
            text = "The copy did not end within {0} s. Stop the guest, or try again."
            raise Failed(NO_COPY, text.format(ENDS_WITHIN))
        time.sleep(LOOK)
    ended = domain.jobStats(libvirt.VIR_DOMAIN_JOB_STATS_COMPLETED)
    if ended.get("type") == libvirt.VIR_DOMAIN_JOB_FAILED:
        text = "The copy failed: {0}. Make room, or try again."
        raise Failed(NO_COPY, text.format(ended.get("errmsg", "no reason given")))
