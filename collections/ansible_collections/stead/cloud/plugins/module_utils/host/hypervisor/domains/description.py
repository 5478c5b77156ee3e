"""A domain that somebody else made, in words of an instance: what a spec can say of it, and the paths of the rest.

Pure: XML in, plain data out. A host says so of its domains, and `stead import libvirt` of files that `virsh dumpxml`
wrote. Whoever wrote the XML is not believed: what it says is data, and no element that is missing is an exception but
ValueError.
"""

from __future__ import annotations

from typing import Dict, Iterator, List, Tuple
from xml.etree import ElementTree as Xml

from ..driver import Json
from .definition import NAMESPACE
from .readback import amounts, hardware

# Elements that Stead writes itself, or that follow from what it says.
_TOP = frozenset({
    "name", "uuid", "genid", "title", "description", "metadata", "memory", "currentMemory", "vcpu", "os", "features",
    "cpu", "clock", "on_poweroff", "on_reboot", "on_crash", "pm", "devices", "resource", "seclabel",
})  # fmt: skip
_FEATURES = frozenset({"acpi", "apic", "smm", "vmport"})
_OS = frozenset({"type", "boot", "firmware", "loader", "nvram"})
_DEVICES = frozenset({
    "emulator", "disk", "interface", "controller", "serial", "console", "graphics", "video", "input", "rng",
    "memballoon", "tpm", "watchdog", "audio",
})  # fmt: skip
_INTERFACE = frozenset({"mac", "source", "model", "target", "alias", "address", "driver", "boot"})
_DISK = frozenset({"driver", "source", "target", "alias", "address", "backingStore", "boot", "readonly", "shareable",
                   "serial"})  # fmt: skip
# What libvirt itself writes, or Stead would.
_CHANNELS = frozenset({"org.qemu.guest_agent.0"})
_EVENTS = {"on_poweroff": ("destroy",), "on_reboot": ("restart",), "on_crash": ("restart", "destroy")}
LONGEST = 100  # characters of a value


def described(xml: Xml.Element) -> Json:
    """Raises ValueError where it is no definition of a domain."""
    if xml.tag != "domain":
        raise ValueError("it is <{0}>, and not a <domain>".format(xml.tag[:LONGEST]))
    disks, interfaces = _disks(xml), _interfaces(xml)
    return {
        "name": xml.findtext("name", "")[:LONGEST],
        "uuid": xml.findtext("uuid", "").strip().lower(),
        "label": label_of(xml),
        **hardware(xml),
        **amounts(xml, xml),
        "disks": disks,
        "interfaces": interfaces,
        "unsaid": dict(sorted(_unsaid(xml))),
    }


def label_of(xml: Xml.Element) -> Dict[str, str]:
    """Who it is, of one that a Stead made or took over."""
    found = xml.find("metadata/{%s}instance" % NAMESPACE)
    return {} if found is None else dict(found.attrib)


def _disks(xml: Xml.Element) -> List[Json]:
    return [_disk(one) for one in xml.findall("devices/disk")]


def _disk(disk: Xml.Element) -> Json:
    source, target, driver = disk.find("source"), disk.find("target"), disk.find("driver")
    return {
        "type": disk.get("type", ""),
        "kind": disk.get("device", "disk"),
        "path": (source.get("file") or source.get("dev") or "") if source is not None else "",
        "device": target.get("dev", "") if target is not None else "",
        "bus": target.get("bus", "") if target is not None else "",
        "format": driver.get("type", "raw") if driver is not None else "raw",
        "cache": driver.get("cache", "") if driver is not None else "",
        "readonly": disk.find("readonly") is not None,
        "shareable": disk.find("shareable") is not None,
    }


def _interfaces(xml: Xml.Element) -> List[Json]:
    found = []
    for one in xml.findall("devices/interface"):
        mac, source, model = one.find("mac"), one.find("source"), one.find("model")
        found.append({
            "type": one.get("type", ""),
            "mac": mac.get("address", "").lower() if mac is not None else "",
            "network": source.get("network", "") if source is not None else "",
            "bridge": source.get("bridge", "") if source is not None else "",
            "model": model.get("type", "") if model is not None else "",
        })  # fmt: skip
    return found


def _unsaid(xml: Xml.Element) -> Iterator[Tuple[str, str]]:
    """Path -> what is there, of all that an instance has no word for."""
    yield from ((one.tag, _told(one)) for one in xml if one.tag not in _TOP)
    for part, known in (("features", _FEATURES), ("os", _OS), ("devices", _DEVICES)):
        below = xml.findall(part + "/*")
        yield from (("{0}/{1}".format(part, one.tag), _told(one)) for one in below if not _is_known(one, known))
    yield from (("cpu/" + one.tag, _told(one)) for one in xml.findall("cpu/*") if one.tag not in ("model", "vendor"))
    clock = xml.find("clock")
    if clock is not None and clock.get("offset") != "utc":
        yield "clock", _told(clock)
    for event, usual in _EVENTS.items():
        if xml.findtext(event, usual[0]) not in usual:
            yield event, xml.findtext(event, "")[:LONGEST]
    for tag, key, known in (("interface", "mac", _INTERFACE), ("disk", "target", _DISK)):
        for device in xml.findall("devices/" + tag):
            yield from (
                ("devices/{0}[{1}]/{2}".format(tag, _key(device, key), one.tag), _told(one))
                for one in device
                if one.tag not in known
            )


def _is_known(one: Xml.Element, known: "frozenset[str]") -> bool:
    target = one.find("target")
    return one.tag in known or (one.tag == "channel" and target is not None and target.get("name") in _CHANNELS)


def _key(device: Xml.Element, by: str) -> str:
    found = device.find(by)
    return (found.get("address") or found.get("dev") or "")[:LONGEST] if found is not None else ""


def _told(one: Xml.Element) -> str:
    """Its attributes and text, short: for a person, who looks into the XML for the rest."""
    words = ["{0}={1}".format(name, value) for name, value in sorted(one.attrib.items())]
    return " ".join(words + (one.text or "").split())[:LONGEST]
