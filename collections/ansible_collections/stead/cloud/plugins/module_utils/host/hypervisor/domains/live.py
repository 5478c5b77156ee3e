"""Changes to a running guest: devices come and go, disks grow, limits move, as far as libvirt does that live.

What is there is told from what should be by serial numbers and MACs. The definition has been changed before; this makes
the running guest agree with it.
"""

from __future__ import annotations

import time
from typing import Any, Mapping, Optional, Tuple
from xml.etree import ElementTree as Xml

from ...base.elements import inner
from ...base.errors import Failed, FailureCode
from ...base.step import HostStep, Want
from ...base.work import Work
from ..driver import Plugs
from . import device_xml, flags

UNPLUGGED = FailureCode("STEAD-E304", "a device of the guest cannot be plugged or unplugged")
TAKEN_OVER = FailureCode("STEAD-E310", "an interface is still as it was before the instance was taken over")
# A guest has to let go of a device; one that does not within this time is not going to.
LETS_GO_WITHIN = 20
LOOK = 0.2


def adjust(domain: Any, step: HostStep, plugs: Plugs, work: Work) -> None:
    want = step["want"]
    live = Xml.fromstring(domain.XMLDesc(0))
    _interfaces(domain, live, want, plugs, work)
    _disks(domain, live, want, work)
    _amounts(domain, live, want, work)
    _label(domain, live, step, work)


def _label(domain: Any, live: Xml.Element, step: HostStep, work: Work) -> None:
    """The running guest says of itself what its definition does."""
    import libvirt

    from .definition import NAMESPACE, NOVA, label, nova

    has = live.find("metadata/{%s}instance" % NAMESPACE)
    if has is not None and has.get("digest") == step["digest"]:
        return
    made = label(step)
    made.tag = "instance"  # libvirt puts the name space in by itself
    text = Xml.tostring(made, encoding="unicode")
    kind = libvirt.VIR_DOMAIN_METADATA_ELEMENT
    work.act("label", domain.setMetadata, kind, text, "stead", NAMESPACE, flags.live())
    inside = "".join(Xml.tostring(one, encoding="unicode") for one in nova(step))  # each with its own name space
    for_others = "<instance>{0}</instance>".format(inside)
    work.act("label for exporters", domain.setMetadata, kind, for_others, "nova", NOVA, flags.live())


def _interfaces(domain: Any, live: Xml.Element, want: Want, plugs: Plugs, work: Work) -> None:
    has = {inner(one, "mac").attrib["address"]: one for one in live.findall("devices/interface")}
    wanted = dict(device_xml.interfaces(want, plugs))
    for mac in sorted(set(has) - set(wanted)):
        _detach(domain, has[mac], "interface " + mac, work)
    for mac, element in wanted.items():
        if mac in has and not _is_wired(has[mac], element):
            _detach(domain, has.pop(mac), "interface " + mac, work)
        if mac not in has:
            _attach(domain, element, "interface " + mac, work)
        elif _rules(has[mac]) != _rules(element):
            _own(has[mac], element)
            text = Xml.tostring(element, encoding="unicode")
            work.act("change interface " + mac, domain.updateDeviceFlags, text, flags.live())


def _is_wired(has: Xml.Element, element: Xml.Element) -> bool:
    """One that was plugged before Stead took its guest over may not say its MTU: it has that of its bridge."""
    bridge, model, mtu = _wiring(has)
    wanted = _wiring(element)
    return (bridge, model) == wanted[:2] and mtu in (None, wanted[2])


def _own(has: Xml.Element, element: Xml.Element) -> None:
    device, own = (inner(one, "target").get("dev") for one in (has, element))
    if device != own:
        text = (
            "Interface {0} was plugged before Stead took the instance over: what may pass it does not change while the"
            " instance runs. Restart it (`stead reboot`), and it holds from then on."
        )
        raise Failed(TAKEN_OVER, text.format(inner(has, "mac").get("address")))


def _wiring(interface: Xml.Element) -> Tuple[Optional[str], Optional[str], Optional[str]]:
    mtu = interface.find("mtu")
    return (
        inner(interface, "source").get("bridge"),
        inner(interface, "model").get("type"),
        None if mtu is None else mtu.get("size"),
    )


def _rules(interface: Xml.Element) -> Tuple[Optional[str], Optional[str]]:
    """What libvirt changes without unplugging: how fast it is, and what may pass."""
    inbound, filtered = interface.find("bandwidth/inbound"), interface.find("filterref")
    return (
        None if inbound is None else inbound.get("average"),
        None if filtered is None else filtered.get("filter"),
    )


def _disks(domain: Any, live: Xml.Element, want: Want, work: Work) -> None:
    """Root, seed and extra disks stay for as long as the guest runs; volumes come and go."""
    volumes = {one["uuid"]: one for one in want.get("volumes", {}).values()}
    root = want["root"].get("volume", {}).get("uuid")
    wanted = {key: disk for key, disk in device_xml.disks(want) if key in volumes or key == "cdrom"}
    lie = device_xml.places(want)
    has = {_key(one, volumes, lie): one for one in live.findall("devices/disk") if one.get("device") != "floppy"}
    fixed = {_shown(key) for key in (want["uuid"] + "-root", "swap", "ephemeral", device_xml.SEED_SERIAL, root or "")}
    controlled = live.find("devices/controller[@type='scsi']") is not None
    for key, disk in sorted(has.items()):
        if key not in wanted and _shown(key) not in fixed and key != "cdrom":
            _detach(domain, disk, "disk " + key, work)
    for key, element in wanted.items():
        if key == "cdrom":
            _change_cd(domain, has.get(key), element, work)
        elif key not in has:
            if device_xml.bus_of(element) == "scsi" and not controlled:
                _attach(domain, device_xml.scsi_controller(), "a SCSI controller", work)
                controlled = True
            _attach(domain, element, "disk " + key, work)
        else:
            _tune(domain, has[key], element, work)
            _stretch(domain, has[key], volumes.get(key, {}).get("size", 0), work)
    if "volume" in want["root"] and root in has:
        _stretch(domain, has[root], want["root"]["volume"].get("size", 0), work)


def _shown(key: str) -> str:
    return key[: device_xml.SERIAL]


def _key(disk: Xml.Element, volumes: Mapping[str, Any], lie: Mapping[str, str]) -> str:
    """libvirt gives back the serial, of which a virtio disk has only the first characters."""
    if disk.get("device") == "cdrom" and disk.find("serial") is None:
        return "cdrom"
    text = device_xml.key_of(disk, lie)
    return next((uuid for uuid in volumes if text in (uuid, _shown(uuid))), text)


def _change_cd(domain: Any, has: Optional[Xml.Element], element: Xml.Element, work: Work) -> None:
    if has is None:
        return  # a drive is hardware: it is there after the next start
    source = has.find("source")
    if source is None or source.get("file") != inner(element, "source").get("file"):
        inner(element, "target").set("dev", inner(has, "target").attrib["dev"])
        work.act("change the CD", domain.updateDeviceFlags, Xml.tostring(element, encoding="unicode"), flags.live())


def _tune(domain: Any, has: Xml.Element, element: Xml.Element, work: Work) -> None:
    limits = {one.tag: int(one.text or 0) for one in element.findall("iotune/*")}
    known = {one.tag: int(one.text or 0) for one in has.findall("iotune/*") if one.text != "0"}
    if limits != known:
        given = dict(dict.fromkeys(known, 0), **limits)
        work.act("limit a disk", domain.setBlockIoTune, inner(has, "target").get("dev"), given, flags.live())


def _stretch(domain: Any, has: Xml.Element, size: int, work: Work) -> None:
    """A volume that another host serves has been made larger there: the guest is told."""
    device = inner(has, "target").get("dev")
    if size and domain.blockInfo(device)[0] < size:
        work.act("tell the guest that {0} has {1}".format(device, size), domain.blockResize, device, size, 1)


def _amounts(domain: Any, live: Xml.Element, want: Want, work: Work) -> None:
    """Within the maximum that the guest was started with. More than that is a reboot, which is another step."""
    vcpu = inner(live, "vcpu")
    if int(vcpu.get("current") or vcpu.text or 0) < want["vcpus"] <= int(vcpu.text or 0):
        work.act("set vcpus", domain.setVcpusFlags, want["vcpus"], flags.live())
    memory = want["memory"] // 1024
    if memory <= int(inner(live, "memory").text or 0) and _configured_memory(live) != memory:
        work.act("set memory", domain.setMemoryFlags, memory, flags.live())


def _configured_memory(live: Xml.Element) -> int:
    return int(inner(live, "currentMemory").text or 0)


def _attach(domain: Any, element: Xml.Element, what: str, work: Work) -> None:
    import libvirt

    def attach() -> None:
        try:
            domain.attachDeviceFlags(Xml.tostring(element, encoding="unicode"), flags.live())
        except libvirt.libvirtError as error:
            raise Failed(UNPLUGGED, "Cannot attach {0}: {1}.".format(what, error)) from error

    work.act("attach " + what, attach)


def _detach(domain: Any, element: Xml.Element, what: str, work: Work) -> None:
    import libvirt

    def detach() -> None:
        try:
            domain.detachDeviceFlags(Xml.tostring(element, encoding="unicode"), flags.live())
        except libvirt.libvirtError as error:
            raise Failed(UNPLUGGED, "Cannot detach {0}: {1}.".format(what, error)) from error
        alias = inner(element, "alias").get("name")
        until = time.monotonic() + LETS_GO_WITHIN
        while alias in {one.get("name") for one in Xml.fromstring(domain.XMLDesc(0)).iter("alias")}:
            if time.monotonic() > until:
                text = "The guest does not release {0}. Unmount it in the guest, and apply again."
                raise Failed(UNPLUGGED, text.format(what))
            time.sleep(LOOK)

    work.act("detach " + what, detach)
