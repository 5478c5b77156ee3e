"""A libvirt domain from an instance's want, by a builder. Pure: the same want gives the same XML on hosts alike."""

from __future__ import annotations

import json
import os
from xml.etree import ElementTree as Xml

from ...base import ledger, paths
from ...base.elements import element
from ...base.step import HostStep, Want
from .. import seed
from ..driver import Plugs
from . import device_xml

NAMESPACE = "https://stead.cloud/xmlns/1"
NOVA = "http://openstack.org/xmlns/libvirt/nova/1.1"
_NOVA = "{%s}%%s" % NOVA
ADOPTED = "adopted"  # on the label of one that others made: what Stead has no word for stays
FLAVORS = "flavors"
NO_FLAVOR = "custom"
BALLOON_PERIOD = 10  # seconds between two times that a guest's driver says how much memory is free
# q35 takes a device while it runs only where a port was kept free: as many as volumes and interfaces may be added.
FREE_PORTS = 8
# What every guest has plugged besides disks and interfaces: random numbers, balloon, USB, the agent's channel.
OWN_PORTS = 4

Xml.register_namespace("stead", NAMESPACE)
Xml.register_namespace("nova", NOVA)


def build(step: HostStep, plugs: Plugs) -> str:
    want = step["want"]
    domain = Xml.Element("domain", {"type": want["hypervisor"]})
    element(domain, "name", text=want["name"])
    element(domain, "uuid", text=want["uuid"])
    metadata = element(domain, "metadata")
    metadata.append(label(step))
    metadata.append(nova(step))
    _memory(domain, want)
    _processors(domain, want)
    _firmware(domain, want)
    features = element(domain, "features")
    if want["architecture"] in ("x86_64", "aarch64"):
        element(features, "acpi")
    if want["architecture"] == "x86_64":
        element(features, "apic")
    if want["firmware"] == "uefi-secure":
        element(features, "smm", {"state": "on"})
    element(domain, "clock", {"offset": "utc"})
    for event, then in (("poweroff", "destroy"), ("reboot", "restart"), ("crash", "restart")):
        element(domain, "on_" + event, text=then)
    _devices(domain, want, plugs)
    if given := seed.in_firmware(want):
        configuration = element(domain, "sysinfo", {"type": "fwcfg"})
        for name, path in sorted(given.items()):
            element(configuration, "entry", {"name": seed.FIRMWARE[name], "file": path})
    return Xml.tostring(domain, encoding="unicode")


def label(step: HostStep) -> Xml.Element:
    """Who it is, in its own metadata: that is what recovery and the finding of orphans read.

    Its text is what the ledger has of it: where that is lost, the guest still says all of itself.
    """
    attributes = {"address": step["address"], "uuid": step["want"]["uuid"], "digest": step["digest"]}
    beside = ledger.beside(step)
    if "site" in beside:
        attributes["site"] = beside["site"]
    made = Xml.Element("{%s}instance" % NAMESPACE, attributes)
    made.text = json.dumps(dict(beside, want=step["want"]), sort_keys=True)
    return made


def nova(step: HostStep) -> Xml.Element:
    """Who it is, in the words of OpenStack's Nova: exporters that know these label project and flavor by them."""
    want, address = step["want"], step["address"]
    project = address.partition("/")[0] if address.count("/") > 1 else ""
    made = Xml.Element(_NOVA % "instance")
    element(made, _NOVA % "name", text=want["name"])
    flavor = element(made, _NOVA % "flavor", {"name": flavor_of((step.get("record") or {}).get("after"))})
    element(flavor, _NOVA % "memory", text=want["memory"] >> 20)
    element(flavor, _NOVA % "vcpus", text=want["vcpus"])
    element(element(made, _NOVA % "owner"), _NOVA % "project", {"uuid": project}, project)
    return made


def flavor_of(refers: object) -> str:
    """By the name that metering gives it: with its project, where that has defined it."""
    for one in refers if isinstance(refers, list) else ():
        words = str(one).split("/")
        if len(words) > 1 and words[-2] == FLAVORS:
            return "/".join(words[:-2] + words[-1:])
    return NO_FLAVOR


def _memory(domain: Xml.Element, want: Want) -> None:
    element(domain, "memory", {"unit": "b"}, want["max_memory"])
    element(domain, "currentMemory", {"unit": "b"}, want["memory"])
    if want.get("hugepages"):
        size = {"2MiB": 2048, "1GiB": 1048576}[want["hugepages"]]
        element(element(element(domain, "memoryBacking"), "hugepages"), "page", {"size": size, "unit": "KiB"})


def _processors(domain: Xml.Element, want: Want) -> None:
    element(domain, "vcpu", {"placement": "static", "current": want["vcpus"]}, want["max_vcpus"])
    mode = want["cpu"]
    if mode in ("host-passthrough", "host-model", "maximum"):
        cpu = element(domain, "cpu", {"mode": mode})
    else:
        cpu = element(domain, "cpu", {"mode": "custom", "match": "exact"})
        element(cpu, "model", {"fallback": "forbid"}, mode)
    shape = want.get("topology")
    if shape:
        element(cpu, "topology", {name: shape.get(name, 1) for name in ("sockets", "cores", "threads")})


def _firmware(domain: Xml.Element, want: Want) -> None:
    """libvirt finds the file of the firmware by what it is to be able to do."""
    uefi = want["firmware"] != "bios"
    system = element(domain, "os", {"firmware": "efi"} if uefi else {})
    element(system, "type", {"arch": want["architecture"], "machine": want["machine"]}, "hvm")
    if uefi:
        secure = {"enabled": "yes" if want["firmware"] == "uefi-secure" else "no"}
        asked = element(system, "firmware")
        for feature in ("enrolled-keys", "secure-boot"):
            element(asked, "feature", dict(secure, name=feature))
    for device in want["boot"]:
        element(system, "boot", {"dev": {"disk": "hd", "cdrom": "cdrom", "network": "network"}[device]})


def _devices(domain: Xml.Element, want: Want, plugs: Plugs) -> None:
    devices = element(domain, "devices")
    disks = device_xml.disks(want)
    for _key, disk in disks:
        devices.append(disk)
    for _mac, interface in device_xml.interfaces(want, plugs):
        devices.append(interface)
    if want["machine"].startswith(("q35", "pc-q35", "virt")):
        element(devices, "controller", {"type": "pci", "model": "pcie-root"})
        for _one in range(FREE_PORTS + OWN_PORTS + len(want["nics"]) + len(disks)):
            element(devices, "controller", {"type": "pci", "model": "pcie-root-port"})
    if any(device_xml.bus_of(disk) == "scsi" for _key, disk in disks):
        devices.append(device_xml.scsi_controller())
    _consoles(devices, want)
    if want["agent"]:
        channel = element(devices, "channel", {"type": "unix"})
        element(channel, "target", {"type": "virtio", "name": "org.qemu.guest_agent.0"})
    element(element(devices, "rng", {"model": "virtio"}), "backend", {"model": "random"}, "/dev/urandom")
    element(element(devices, "memballoon", {"model": "virtio"}), "stats", {"period": BALLOON_PERIOD})
    if want["tpm"]:
        tpm = element(devices, "tpm", {"model": "tpm-crb"})
        element(tpm, "backend", {"type": "emulator", "version": "2.0"})
    if want["watchdog"] != "none":
        element(devices, "watchdog", {"model": "i6300esb", "action": want["watchdog"]})


def digest_in(xml: Xml.Element) -> str:
    """Of the want that a definition was made from, as it says itself."""
    found = xml.find("metadata/{%s}instance" % NAMESPACE)
    return "" if found is None else found.get("digest", "")


def console_log(uuid: str) -> str:
    return os.path.join(paths.INSTANCES, uuid, "console.log")


def _consoles(devices: Xml.Element, want: Want) -> None:
    serial = element(devices, "serial", {"type": "pty"})
    element(serial, "log", {"file": console_log(want["uuid"]), "append": "on"})
    element(serial, "target", {"port": 0})
    if want["graphics"] != "none":
        # A socket in QEMU's own directory, which libvirt names: a port would be open to every user of this host.
        element(element(devices, "graphics", {"type": want["graphics"]}), "listen", {"type": "socket"})
        element(element(devices, "video"), "model", {"type": "vga"})
        element(devices, "input", {"type": "tablet", "bus": "usb"})
