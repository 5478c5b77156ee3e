"""An instance's want, read back from its domain: what libvirt says, in the words of the plan.

What libvirt cannot tell (the seed, labels, who may come in) is as the ledger has it. For what can change while a guest
runs, what runs counts; for the rest, the definition.
"""

from __future__ import annotations

import json
import os

from ...base.errors import Failed
from ...storage import disk_files, pools
from . import device_xml, power
from .definition import NAMESPACE

_UNITS = {"b": 1, "bytes": 1, "KiB": 1024, "MiB": 1 << 20, "GiB": 1 << 30}


def label(domain):
    """Address, UUID and digest that the domain carries; nothing of one that is not Stead's."""
    found = domain.live.find("metadata/{%s}instance" % NAMESPACE)
    return {} if found is None else dict(found.attrib)


def told(domain):
    """The ledger's entry of it as the domain itself has it: of one that an older Stead labelled, what that wrote."""
    found = domain.live.find("metadata/{%s}instance" % NAMESPACE)
    try:
        more = json.loads(found.text or "{}")
    except ValueError:
        more = {}
    return dict(more if isinstance(more, dict) else {}, **found.attrib)


def fields(domain, want):
    """Fields of a want as they are. `want` is the ledger's, or empty when it knows nothing of the domain."""
    found = dict(hardware(domain.defined), **amounts(domain))
    found["name"] = domain.name
    found["state"] = domain.state
    if want and domain.autostart != power.is_libvirts(want):
        found["autostart"] = "by libvirt" if domain.autostart and want["autostart"] else domain.autostart
    if want:
        found.update(interfaces(domain.live, want))
        found["volumes"] = volumes(domain.live, want)
        found["root"] = root(want)
    return found


def hardware(xml):
    system, kind = xml.find("os"), xml.find("os/type")
    screen, watchdog, cpu = xml.find("devices/graphics"), xml.find("devices/watchdog"), xml.find("cpu")
    channels = [one.get("name") for one in xml.findall("devices/channel/target")]
    return {
        "agent": "org.qemu.guest_agent.0" in channels,
        "architecture": kind.get("arch"),
        "boot": [
            {"hd": "disk", "cdrom": "cdrom", "network": "network"}.get(one.get("dev")) for one in system.findall("boot")
        ],
        "cpu": _cpu(cpu),
        "firmware": _firmware(system),
        "graphics": screen.get("type") if screen is not None else "none",
        "hypervisor": xml.get("type"),
        "machine": kind.get("machine"),
        "tpm": xml.find("devices/tpm") is not None,
        "watchdog": watchdog.get("action") if watchdog is not None else "none",
    }


def _cpu(cpu):
    if cpu is None:
        return ""
    model = cpu.find("model")
    return model.text if cpu.get("mode") in (None, "custom") and model is not None else cpu.get("mode")


def _firmware(system):
    loader = system.find("loader")
    if system.get("firmware") != "efi" and (loader is None or loader.get("type") != "pflash"):
        return "bios"
    asked = {one.get("name"): one.get("enabled") for one in system.findall("firmware/feature")}
    secure = asked.get("secure-boot") == "yes" or (loader is not None and loader.get("secure") == "yes")
    return "uefi-secure" if secure else "uefi"


def amounts(domain):
    vcpu, live = domain.defined.find("vcpu"), domain.live.find("vcpu")
    most, has = _bytes(domain.defined.find("memory")), _bytes(domain.live.find("currentMemory"))
    return {
        "max_memory": most,
        # A guest begins with the most it may have, until its own driver gives back what it is not to have.
        "memory": has if has != most else _bytes(domain.defined.find("currentMemory")),
        "max_vcpus": int(vcpu.text),
        "vcpus": int(live.get("current", live.text)),
    }


def _bytes(element):
    return int(element.text) * _UNITS.get(element.get("unit", "KiB"), 1024)


def interfaces(xml, want):
    """Known by their MACs. One that nobody planned is named by its own."""
    has = {one.find("mac").get("address").lower(): one for one in xml.findall("devices/interface")}
    keys = {port["mac"].lower(): key for key, port in want.get("ports", {}).items()}
    ports, nics = {}, {}
    for mac, interface in has.items():
        key = keys.get(mac)
        if key is None:
            ports[mac] = {"mac": mac, "addresses": []}
            continue
        ports[key] = want["ports"][key]
        model, mtu = interface.find("model"), interface.find("mtu")
        nics[key] = dict(want["nics"][key])
        if model is not None:
            nics[key]["model"] = model.get("type")
        if mtu is not None:
            nics[key]["mtu"] = int(mtu.get("size"))
    return {"ports": ports, "nics": nics}


def volumes(xml, want):
    """Known by their serial numbers, of which a virtio disk shows the first twenty characters."""
    wanted = want.get("volumes") or {}
    names = {one["uuid"][: device_xml.SERIAL]: name for name, one in wanted.items()}
    own = {
        want["uuid"] + "-root",
        device_xml.SEED_SERIAL,
        "swap",
        "ephemeral",
        want["root"].get("volume", {}).get("uuid", ""),
    }
    own = {one[: device_xml.SERIAL] for one in own}
    found = {}
    for disk in xml.findall("devices/disk"):
        serial = disk.findtext("serial", "")[: device_xml.SERIAL]
        if serial in names:
            found[names[serial]] = wanted[names[serial]]
        elif serial not in own and disk.get("device") == "disk":
            device = disk.find("target").get("dev")
            found["foreign:" + device] = {"device": device, "uuid": serial}
    return found


def root(want):
    """The disk may have been taken away, or made larger by hand."""
    disk = want.get("root") or {}
    if "volume" in disk or not disk.get("size"):
        return disk
    try:
        path = pools.root_path(want)
        return dict(disk, size=disk_files.size_of(path, "qcow2") if os.path.exists(path) else 0)
    except Failed:  # a pool that is no directory here
        return disk
