"""A draft of a spec for domains that are not Stead's, and what it cannot say.

Each domain becomes an instance that names it (`domain`), each of its disks a volume that names its file, and each
bridge a flat network. Nothing is guessed: a domain of which something essential cannot be said is left out, with every
reason at once; of the others it is told what stays as it is without being in the spec.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_interface
from pathlib import PurePosixPath
from typing import Any, get_args

from stead.adoption.names import SpecNames
from stead.adoption.reasons import blocking
from stead.adoption.strangers import StrangeDisk, StrangeNetwork, StrangeNic, Stranger, Strangers, by_uuid
from stead.core.diagnostics import Code, Diagnostic, Severity
from stead.core.named import NamedTuple
from stead.core.observed import Host
from stead.heat.stack import Draft, Written
from stead.kinds.instance.model import Instance
from stead.language.reading.models import hint_of

LEFT_OUT = Code("STEAD-K012", "a domain cannot be taken over")
KEPT = Code("STEAD-K013", "a part of a domain cannot be said in a spec", Severity.WARNING)
LACKS = Code("STEAD-K014", "the inventory does not name what a domain uses", Severity.WARNING)

_CPU = re.compile(r"[A-Za-z0-9._-]+")
_UNITS = (("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10))


def size(amount: int) -> str:
    unit, factor = next((one for one in _UNITS if amount and amount % one[1] == 0), ("B", 1))
    return f"{amount // factor}{unit}"


class DomainTranslation:
    """What is being made."""

    def __init__(self, strangers: Strangers, hosts: Mapping[str, Host], project: str) -> None:
        self.draft = Draft(project=project, reader=lambda name: name.encode())
        self.draft.entry("", "projects", project)
        self._strangers, self._hosts, self._project = strangers, hosts, project
        self.names = SpecNames(strangers, hosts)
        self._files: dict[tuple[str, str], str] = {}  # (host, path) -> its volume
        self.found: list[Diagnostic] = []

    def all(self) -> None:
        twins = by_uuid(self._strangers.domains)
        for one in self._strangers.domains:
            reasons = list(blocking(one, twins[one.uuid], self._files))
            self.found += [LEFT_OUT.at(one.place, text, address=one.title) for text in reasons]
            if not reasons:
                self._instance(one)
        for (host, section, name), text in sorted(self.names.lacking.items()):
            words = f"{host or 'The host'}: write `{section}: {{{name}: {text}}}` in the inventory before you plan."
            self.found.append(LACKS.at(None, words, address=host))
            self.draft.notes.append(words)

    def _instance(self, one: Stranger) -> None:
        name = self.draft.free(self._project, "instances", self.names.instance(one))
        entry = self.draft.entry(self._project, "instances", name)
        disks = [disk for disk in one.disks if disk.kind == "disk"]
        volumes = [self._volume(name, disk, one) for disk in disks]
        boot, *others = disks
        entry.fields = {
            "domain": one.uuid,
            "host": one.host or None,
            "flavor": _flavor(one),
            "boot_volume": volumes[0],
            "disk": _root(boot),
            "volumes": [_attached(*pair) for pair in zip(volumes[1:], others, strict=True)] or None,
            "networks": [self._nic(nic, one) for nic in one.nics] or None,
            **_hardware(one),
        }
        entry.notes = [f"Domain {one.name} of {one.host}." if one.host else f"Domain {one.name}."]
        self._told(one, entry)

    def _told(self, one: Stranger, entry: Written) -> None:
        """What is there and not in the spec."""
        ignored = list(_ignored(one))
        if ignored:
            entry.fields["ignore"] = [field for field, _ in ignored]
        kept = [(field, f"it is {value!r}, which a spec has no word for") for field, value in ignored]
        kept += [(path, f"`{text}`" if text else "") for path, text in one.unsaid.items()]
        kept += [
            (f"devices/disk[{disk.device}]", f"a {disk.kind}, {disk.path or 'empty'}")
            for disk in one.disks
            if disk.kind != "disk"
        ]
        for path, text in kept:
            what = f"{path}: {text}" if text else path
            words = f"{what}. It stays as it is on this host, and is lost if the instance is made anew elsewhere."
            self.found.append(KEPT.at(one.place, f"{one.name}: {words}", address=one.title))
            entry.notes.append(f"Kept, not said: {path}.")

    def _volume(self, instance: str, disk: StrangeDisk, one: Stranger) -> str:
        known = self._files.get((one.host, disk.path))
        if known is not None:
            return known
        name = self.draft.free(self._project, "volumes", f"{instance[:54]}-{disk.device}")
        path = PurePosixPath(disk.path)
        entry = self.draft.entry(self._project, "volumes", name)
        entry.fields = {
            "size": size(disk.size) if disk.size else None,
            "pool": self.names.pool(one.host, str(path.parent), disk.room),
            "host": one.host or None,
            "file": path.name,
            "format": disk.format,
            "shareable": True if disk.shareable else None,
        }
        if disk.backing:
            entry.notes.append(f"It lies over {disk.backing}, which must stay where it is.")
        if not disk.size:
            self.draft.notes.append(f"Write the size of volume {name}: an XML file does not tell it.")
        self._files[one.host, disk.path] = name
        return name

    def _nic(self, nic: StrangeNic, one: Stranger) -> dict[str, Any]:
        net = self._strangers.networks.get((one.host, nic.network), StrangeNetwork(bridge=nic.bridge))
        name = self.names.network(one.host, nic, net)
        entry = self.draft.entry("", "networks", name)
        addresses = self._addresses(one.host, nic)
        entry.fields = {"type": "flat", "physical": name}
        if addresses and net.addresses:
            entry.fields["subnets"] = {"v4": _subnet(net.addresses[0])}
        if nic.network and net.forward:
            entry.notes = [f"libvirt's network {nic.network} ({net.forward}) goes on: its DHCP and NAT are libvirt's."]
        known = nic.address if "subnets" in entry.fields else None
        model = None if nic.model == "virtio" else nic.model
        return {"network": name, "mac": nic.mac, "address": known, "model": model, "port_security": False}

    def _addresses(self, host: str, nic: StrangeNic) -> bool:
        """Whether the address of each interface in its network is known: else one would be chosen that it has not."""
        same = [
            other
            for one in self._strangers.domains
            for other in one.nics
            if one.host == host and other.network == nic.network and other.bridge == nic.bridge
        ]
        return all(other.address for other in same)


def _subnet(address: str) -> dict[str, Any]:
    own = ip_interface(address)
    return {"cidr": str(own.network), "gateway": str(own.ip), "dhcp": False}


def _flavor(one: Stranger) -> dict[str, Any]:
    more_vcpus = one.max_vcpus if one.max_vcpus > one.vcpus else None
    more_memory = size(one.max_memory) if one.max_memory > one.memory else None
    return {"vcpus": one.vcpus, "memory": size(one.memory), "max_vcpus": more_vcpus, "max_memory": more_memory}


def _root(disk: StrangeDisk) -> dict[str, Any] | None:
    said = {"bus": disk.bus if disk.bus != "virtio" else None, "cache": disk.cache or None}
    return said if any(said.values()) else None


def _attached(volume: str, disk: StrangeDisk) -> dict[str, Any]:
    device = disk.device if re.fullmatch(r"(vd|sd|hd)[b-v]", disk.device) else None
    mode = "ro" if disk.readonly else None
    return {"volume": volume, "device": device, "mode": mode, "cache": disk.cache or None}


def _hardware(one: Stranger) -> dict[str, Any]:
    """What differs from what an instance has without a word, and can be said."""
    skipped = {field for field, _ in _ignored(one)}
    said = {
        "state": one.state,
        "autostart": one.autostart,
        "hypervisor": one.hypervisor,
        "machine": one.machine,
        "cpu": one.cpu,
        "firmware": one.firmware,
        "boot": list(one.boot),
        "graphics": one.graphics,
        "agent": one.agent,
        "tpm": one.tpm,
        "watchdog": one.watchdog,
        "config_drive": False,
    }
    usual: dict[str, Any] = {"state": "running", "autostart": True, "firmware": "bios", "boot": ["disk"], "tpm": False,
                             "graphics": "vnc", "agent": True, "watchdog": "none"}  # fmt: skip
    return {name: text for name, text in said.items() if name not in skipped and usual.get(name) != text}


def _ignored(one: Stranger) -> Iterator[tuple[str, str]]:
    """Fields whose value has no word: they are left to the domain."""
    for field in ("graphics", "watchdog"):
        if getattr(one, field) not in _words(field):
            yield field, getattr(one, field)
    if not _CPU.fullmatch(one.cpu):
        yield "cpu", one.cpu
    if not one.boot or any(device not in ("disk", "network") for device in one.boot):
        yield "boot", ", ".join(one.boot)


def _words(field: str) -> frozenset[str]:
    """What a field of instances may say: the innermost of its hint that is a list of words."""
    return frozenset(_literals(hint_of(Instance, field)))


def _literals(hint: Any) -> Iterable[str]:
    inner = get_args(hint)
    if inner and all(isinstance(one, str) for one in inner):
        return inner
    return [word for one in inner[:1] for word in _literals(one)]


class Drafted(NamedTuple):
    draft: Draft
    found: Sequence[Diagnostic]
    left_out: bool


def translated(strangers: Strangers, hosts: Mapping[str, Host], project: str) -> Drafted:
    made = DomainTranslation(strangers, hosts, project)
    made.all()
    return Drafted(made.draft, made.found, any(one.code == LEFT_OUT.id for one in made.found))
