"""An instance's want, read back from its domain: what libvirt says, in the words of the plan.

What libvirt cannot tell (the seed, labels, who may come in) is as the ledger has it. For what can change while a guest
runs, what runs counts; for the rest, the definition.
"""

from __future__ import annotations

import json
from typing import Any, Dict, List, Mapping, Optional
from xml.etree import ElementTree as Xml

from ...base.elements import inner
from ...base.errors import Failed
from ...base.step import Want
from ...storage import drivers
from ..driver import Json
from . import device_xml, power
from .definition import NAMESPACE

BOOT = {"hd": "disk", "cdrom": "cdrom", "network": "network"}
_UNITS = {"b": 1, "bytes": 1, "KiB": 1024, "MiB": 1 << 20, "GiB": 1 << 30}


class SeenDomain:
    """Definition and, of a running one, what runs; both as XML."""

    def __init__(
        self,
        name: str,
        state: str,
        autostart: bool,
        defined: Xml.Element,
        live: Optional[Xml.Element],
        moving: bool = False,
    ) -> None:
        self.name = name
        self.state = state
        self.moving = moving
        self._autostart = autostart
        self._defined = defined
        self._live = live if live is not None else defined

    def label(self) -> Dict[str, str]:
        found = self._live.find("metadata/{%s}instance" % NAMESPACE)
        return {} if found is None else dict(found.attrib)

    def told(self) -> Json:
        """Of one that an older Stead labelled, what that wrote."""
        found = self._live.find("metadata/{%s}instance" % NAMESPACE)
        try:
            more = json.loads((found.text if found is not None else None) or "{}")
        except ValueError:
            more = {}
        return dict(more if isinstance(more, dict) else {}, **self.label())

    def fields(self, want: Want) -> Json:
        found = dict(hardware(self._defined), **self.amounts())
        found["name"] = self.name
        # One that is off has no memory that could be kept, and nothing is to be done about it.
        lost = self.state == "stopped" and want.get("state") == "suspended"
        found["state"] = "suspended" if lost else self.state
        if want and self._autostart != power.is_libvirts(want):
            found["autostart"] = "by libvirt" if self._autostart and want["autostart"] else self._autostart
        if want:
            found.update(interfaces(self._live, want))
            found["volumes"] = volumes(self._live, want)
            found["root"] = root(want)
        return found

    def amounts(self) -> Json:
        return amounts(self._defined, self._live)

    def paths(self) -> List[str]:
        """Of its disks that are files."""
        return [source.get("file", "") for source in self._live.findall("devices/disk/source")]

    def described(self) -> Json:
        """Of one that is not Stead's. Interfaces and disks are those that it has now."""
        from .description import described

        defined = described(self._defined)
        found = dict(described(self._live), **hardware(self._defined), **self.amounts())
        return dict(found, unsaid=defined["unsaid"], state=self.state, autostart=self._autostart)


def everything(connection: Any) -> Dict[str, SeenDomain]:
    """UUID -> domain, by libvirt's bulk calls wherever it has them."""
    import libvirt

    # VIR_DOMAIN_STATS_STATE alone, without waiting: a guest that hangs must not hold up the others.
    waiting = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
    auto = {one.UUIDString() for one in connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_AUTOSTART)}
    suspended = {one.UUIDString() for one in connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE)}
    names = _states()
    found: Dict[str, SeenDomain] = {}
    for domain, stats in connection.getAllDomainStats(libvirt.VIR_DOMAIN_STATS_STATE, waiting):
        state = names.get(stats.get("state.state"), "stopped")
        try:
            defined = Xml.fromstring(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
            live = Xml.fromstring(domain.XMLDesc(0)) if state in ("running", "paused") else None
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:  # it went away meanwhile
                continue
            raise
        uuid = domain.UUIDString()
        state = "suspended" if state == "stopped" and uuid in suspended else state
        moving = state == "paused" and stats.get("state.reason") == libvirt.VIR_DOMAIN_PAUSED_MIGRATION
        found[uuid] = SeenDomain(domain.name(), state, uuid in auto, defined, live, moving)
    return found


def _states() -> Dict[int, str]:
    import libvirt

    return {
        libvirt.VIR_DOMAIN_RUNNING: "running",
        libvirt.VIR_DOMAIN_BLOCKED: "running",
        libvirt.VIR_DOMAIN_PAUSED: "paused",
        libvirt.VIR_DOMAIN_PMSUSPENDED: "paused",
        libvirt.VIR_DOMAIN_SHUTDOWN: "running",
        libvirt.VIR_DOMAIN_CRASHED: "crashed",
    }


def hardware(xml: Xml.Element) -> Json:
    system, kind = inner(xml, "os"), inner(xml, "os/type")
    screen, watchdog, cpu = xml.find("devices/graphics"), xml.find("devices/watchdog"), xml.find("cpu")
    channels = [one.get("name") for one in xml.findall("devices/channel/target")]
    return {
        "agent": "org.qemu.guest_agent.0" in channels,
        "architecture": kind.get("arch"),
        "boot": _boot(xml, system),
        "cpu": _cpu(cpu),
        "firmware": _firmware(system),
        "graphics": screen.get("type") if screen is not None else "none",
        "hypervisor": xml.get("type"),
        "machine": kind.get("machine"),
        "tpm": xml.find("devices/tpm") is not None,
        "watchdog": watchdog.get("action") if watchdog is not None else "none",
    }


def _boot(xml: Xml.Element, system: Xml.Element) -> List[Optional[str]]:
    """In the order of the machine; or of its devices, as others write it."""
    of_machine = [BOOT.get(one.get("dev", "")) for one in system.findall("boot")]
    devices = [(int(boot.get("order", "0")), one) for one in xml.findall("devices/*") for boot in one.findall("boot")]
    ordered = [_bootable(one) for _order, one in sorted(devices, key=lambda pair: pair[0])]
    return of_machine or [one for at, one in enumerate(ordered) if one not in ordered[:at]]


def _bootable(device: Xml.Element) -> str:
    if device.tag == "interface":
        return "network"
    return "cdrom" if device.get("device") == "cdrom" else "disk"


def _cpu(cpu: Optional[Xml.Element]) -> str:
    if cpu is None:
        return ""
    model = cpu.find("model")
    named = cpu.get("mode") in (None, "custom") and model is not None
    return (model.text if model is not None and named else cpu.get("mode")) or ""


def _firmware(system: Xml.Element) -> str:
    loader = system.find("loader")
    if system.get("firmware") != "efi" and (loader is None or loader.get("type") != "pflash"):
        return "bios"
    asked = {one.get("name"): one.get("enabled") for one in system.findall("firmware/feature")}
    secure = asked.get("secure-boot") == "yes" or (loader is not None and loader.get("secure") == "yes")
    return "uefi-secure" if secure else "uefi"


def amounts(defined: Xml.Element, live: Xml.Element) -> Json:
    vcpu, has_vcpu = inner(defined, "vcpu"), inner(live, "vcpu")
    most, has = _bytes(inner(defined, "memory")), _bytes(inner(live, "currentMemory"))
    return {
        "max_memory": most,
        # A guest begins with the most it may have, until its own driver gives back what it is not to have.
        "memory": has if has != most else _bytes(inner(defined, "currentMemory")),
        "max_vcpus": int(vcpu.text or 0),
        "vcpus": int(has_vcpu.get("current") or has_vcpu.text or 0),
    }


def _bytes(element: Xml.Element) -> int:
    return int(element.text or 0) * _UNITS.get(element.get("unit", "KiB"), 1024)


def interfaces(xml: Xml.Element, want: Want) -> Json:
    """Known by their MACs. One that nobody planned is named by its own."""
    has = {inner(one, "mac").attrib["address"].lower(): one for one in xml.findall("devices/interface")}
    keys = {port["mac"].lower(): key for key, port in want.get("ports", {}).items()}
    ports: Json = {}
    nics: Json = {}
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
            nics[key]["mtu"] = int(mtu.get("size", "0"))
    return {"ports": ports, "nics": nics}


def volumes(xml: Xml.Element, want: Want) -> Json:
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
    found: Json = {}
    places = _places(want)
    for disk in xml.findall("devices/disk"):
        serial = device_xml.key_of(disk, places)[: device_xml.SERIAL]
        if serial in names:
            found[names[serial]] = wanted[names[serial]]
        elif serial not in own and disk.get("device") == "disk":
            device = inner(disk, "target").attrib["dev"]
            found["foreign:" + device] = {"device": device, "uuid": serial}
    return found


def _places(want: Want) -> Mapping[str, str]:
    try:
        return device_xml.places(want)
    except Failed:  # a pool of which this host knows nothing
        return {}


def root(want: Want) -> Json:
    """The disk may have been taken away, or made larger by hand."""
    disk: Json = want.get("root") or {}
    if "volume" in disk or not disk.get("size"):
        return disk
    try:
        there = drivers.root_disk(want)
        return dict(disk, size=there.size() if there.exists() else 0)
    except Failed:  # a pool that is no directory here
        return disk
