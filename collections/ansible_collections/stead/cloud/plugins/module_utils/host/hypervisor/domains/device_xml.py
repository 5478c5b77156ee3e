"""Disks and interfaces of a domain as XML elements, by a builder: no value is ever pasted into text.

Each device has a key that libvirt gives back (a serial number, a MAC), by which what is there is told from what
should be.
"""

from __future__ import annotations

from typing import Any, List, Mapping, Optional, Tuple
from xml.etree import ElementTree as Xml

from ...base.elements import element, inner
from ...base.step import Want
from ...images import image_files
from ...net.driver import Plug
from ...storage import drivers
from .. import seed
from ..driver import Plugs
from . import disk_source

# A part of a want.
Described = Mapping[str, Any]
SEED_SERIAL = "stead-seed"
# What a virtio disk shows of its serial number.
SERIAL = 20
# Storage that is away for a while must not become a guest's I/O error, which few file systems survive: the guest is
# paused, and what it asked for is asked again when it goes on (`power.start`).
ON_ERROR = {"error_policy": "stop", "rerror_policy": "stop"}
# For a switch that takes a packet as it is: the guest makes each whole, with its checksum.
WHOLE = dict.fromkeys(("csum", "tso4", "tso6", "ecn", "ufo"), "off")
# Mbit/s to libvirt's kilobytes a second.
KILOBYTES = 125


def disks(want: Want) -> List[Tuple[str, Xml.Element]]:
    """(key, element) of each disk, in the order in which the guest should see them."""
    found: List[Tuple[str, Xml.Element]] = []
    root = want["root"]
    prefix = {"virtio": "vd", "scsi": "sd", "sata": "sd", "ide": "hd"}[root["bus"]]
    if "volume" in root:
        found.append(volume(dict(root["volume"], bus=root["bus"], device=prefix + "a", mode="rw"), root))
    elif root.get("size"):
        found.append(_own(want, "root", root["format"], prefix + "a", want["uuid"] + "-root"))
    for _address, attached in sorted(want.get("volumes", {}).items(), key=lambda one: one[1]["device"]):
        found.append(volume(attached, attached))
    for name, letter in (("swap", "y"), ("ephemeral", "x")):
        if root.get(name):
            found.append(_own(want, name, "raw", prefix + letter, name))
    if seed.has_volume(want):
        found.append(_seed(want, root["bus"]))
    if "cdrom" in want:
        found.append(_cdrom(image_files.path_in_drive(want["cdrom"]), want))
    return found


def volume(attached: Described, tuned: Described) -> Tuple[str, Xml.Element]:
    key = attached["uuid"]
    disk = disk_source.disk(drivers.source(attached["pool"], key, attached["format"]))
    _driver(disk, attached["format"], attached.get("cache"))
    _target(disk, attached["device"], attached["bus"], key)
    if attached["mode"] == "ro":
        element(disk, "readonly")
    if attached.get("shareable"):
        element(disk, "shareable")
    _limits(
        disk, dict(attached.get("qos", {}), **{name: tuned[name] for name in ("iops", "throughput") if name in tuned})
    )
    return key, disk


def _own(want: Want, name: str, form: str, device: str, key: str) -> Tuple[str, Xml.Element]:
    root = want["root"]
    disk = disk_source.disk(drivers.own_source(want, name))
    _driver(disk, form, root.get("cache"))
    _target(disk, device, root["bus"], key)
    _limits(disk, root)
    return key, disk


def _driver(disk: Xml.Element, form: str, cache: Optional[str]) -> None:
    settings = dict(ON_ERROR, name="qemu", type=form, discard="unmap", detect_zeroes="unmap")
    element(disk, "driver", dict(settings, **({"cache": cache} if cache else {})))


def _target(disk: Xml.Element, device: str, bus: str, key: str) -> None:
    element(disk, "target", {"dev": device, "bus": bus})
    element(disk, "serial", text=key[:SERIAL] if bus == "virtio" else key)


def bus_of(disk: Xml.Element) -> str:
    return inner(disk, "target").get("bus", "")


def scsi_controller() -> Xml.Element:
    """Guests know this one; the one that libvirt would choose is of 1995, and kernels of cloud images do not."""
    return Xml.Element("controller", {"type": "scsi", "model": "virtio-scsi"})


def _limits(disk: Xml.Element, limits: Described) -> None:
    words = {
        "iops": "total_iops_sec",
        "read_iops": "read_iops_sec",
        "write_iops": "write_iops_sec",
        "throughput": "total_bytes_sec",
        "read_throughput": "read_bytes_sec",
        "write_throughput": "write_bytes_sec",
    }
    given = [(word, limits[name]) for name, word in words.items() if limits.get(name)]
    if given:
        tune = element(disk, "iotune")
        for word, limit in given:
            element(tune, word, text=limit)


def _seed(want: Want, bus: str) -> Tuple[str, Xml.Element]:
    """On the bus of the root disk, which the guest has a driver for: the kernels of cloud images know no CD drives.

    A disk that cannot be written to is a CD on the buses of old.
    """
    disk = Xml.Element("disk", {"type": "file", "device": "disk"})
    element(disk, "driver", {"name": "qemu", "type": "raw"})
    element(disk, "source", {"file": seed.path_of(want)})
    prefix = {"virtio": "vd", "scsi": "sd", "sata": "sd", "ide": "hd"}[bus]
    if bus in ("ide", "sata"):
        disk.set("device", "cdrom")
    _target(disk, prefix + ("d" if bus == "ide" else "z"), bus, SEED_SERIAL)
    element(disk, "readonly")
    return SEED_SERIAL, disk


def _cdrom(path: str, want: Want) -> Tuple[str, Xml.Element]:
    disk = Xml.Element("disk", {"type": "file", "device": "cdrom"})
    element(disk, "driver", {"name": "qemu", "type": "raw"})
    element(disk, "source", {"file": path})
    bus = "ide" if want["machine"].startswith(("pc", "pc-i440fx")) else "sata"
    element(disk, "target", {"dev": "hdc" if bus == "ide" else "sdw", "bus": bus})
    element(disk, "readonly")
    return "cdrom", disk


def interfaces(want: Want, plugs: Plugs) -> List[Tuple[str, Xml.Element]]:
    """(MAC, element) of each. `plugs` says of each how it is put into its network."""
    ordered = sorted(want["nics"].items(), key=lambda one: one[1]["position"])
    return [_interface(nic, want["ports"][key], plugs[key]) for key, nic in ordered]


def _interface(nic: Described, port: Described, plug: Plug) -> Tuple[str, Xml.Element]:
    found = Xml.Element("interface", {"type": "bridge"})
    element(found, "mac", {"address": port["mac"]})
    element(found, "source", {"bridge": plug.bridge})
    if plug.virtualport is not None:
        kind, parameters = plug.virtualport
        element(element(found, "virtualport", {"type": kind}), "parameters", parameters)
    element(found, "target", {"dev": plug.device})
    element(found, "model", {"type": nic["model"]})
    element(found, "mtu", {"size": nic["mtu"]})
    if not plug.offload and nic["model"] == "virtio":
        driver = element(found, "driver")
        element(driver, "host", WHOLE)
        element(driver, "guest", WHOLE)
    if plug.filter:
        element(found, "filterref", {"filter": plug.filter})
    if nic.get("bandwidth"):
        rate = {"average": nic["bandwidth"] * KILOBYTES}
        limits = element(found, "bandwidth")
        element(limits, "inbound", rate)
        element(limits, "outbound", rate)
    return port["mac"], found


def key_of(disk: Xml.Element, places: Mapping[str, str]) -> str:
    """The key of a disk that is there: its serial number; or by where it lies (path -> key), of one that was plugged
    before Stead had to do with it."""
    source = disk.find("source")
    serial = disk.findtext("serial", "")
    return serial or places.get((source.get("file") or "") if source is not None else "", "")


def places(want: Want) -> Mapping[str, str]:
    """Path -> UUID of each volume that a guest has."""
    root = want["root"].get("volume")
    attached = ([root] if root else []) + list(want.get("volumes", {}).values())
    return {drivers.source(one["pool"], one["uuid"], one["format"]).path: one["uuid"] for one in attached}


def device_of(xml: Xml.Element, uuid: str, path: str) -> Optional[str]:
    """What a domain's guest calls a volume, known by its serial number or its place; nothing where it has none."""
    for disk in xml.findall("devices/disk"):
        source = disk.find("source")
        lies = source is not None and path in (source.get("file"), source.get("dev"))
        if lies or disk.findtext("serial", "") in (uuid, uuid[:SERIAL]):
            return inner(disk, "target").get("dev")
    return None
