# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When two instances differ. Changes that libvirt itself makes to a domain are ignored."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, TypedDict, Union

from . import compare as generic
from .parts import Identified, ImageRef, PoolPlace, Qos, Route

KIB = 1024
SECTOR = 512


Opened = Union[str, Dict[str, str]]  # text, or a reference to a secret


class AttachedVolume(TypedDict, total=False):
    bus: str
    cache: str
    device: str
    format: str
    mode: str
    pinned: bool  # the device is the user's choice
    pool: PoolPlace
    qos: Qos
    shareable: bool
    size: int
    uuid: str


class RootWant(TypedDict, total=False):
    """Its root disk, and the extra disks that live and die with it."""

    bus: str
    cache: str
    ephemeral: int
    format: str
    generation: int  # another number is another disk
    iops: int
    pool: PoolPlace
    size: int
    swap: int
    throughput: int
    volume: AttachedVolume  # that it boots from instead


class Allowed(TypedDict, total=False):
    address: str
    mac: str


class NicSubnet(TypedDict, total=False):
    cidr: str
    dhcp: bool
    dns: List[str]
    gateway: str
    routes: List[Route]
    slaac: bool


class LookAt(TypedDict):
    """What a filter lets in for the readiness check."""

    address: str
    port: int


class NicWant(TypedDict, total=False):
    allowed: List[Allowed]
    bandwidth: int
    driver: str  # of its network, where that is not the first one
    filtered: bool
    groups: List[str]
    model: str
    mtu: int
    network: str
    network_uuid: str
    position: int
    routed: bool
    subnets: List[NicSubnet]
    look: LookAt  # set on the host


class PortWant(TypedDict, total=False):
    addresses: List[str]
    mac: str


class SeedWant(TypedDict, total=False):
    """What cloud-init, Ignition or Combustion read at the first boot. Without `keys`, cloud-init finds nothing."""

    combustion: Opened
    ignition: Opened
    keys: List[str]
    meta_data: Any
    network_data: Any
    on_change: str
    user_data: Opened
    vendor_data: Opened


class LookFrom(TypedDict):
    address: str  # with its length
    mac: str


_From = TypedDict("_From", {"from": LookFrom, "for": str}, total=False)  # no names of Python's


class WaitWant(_From, total=False):
    nic: str
    path: str
    port: int
    status: int
    timeout: int


class MigrationWant(TypedDict, total=False):
    """Only what is not as always."""

    auto_converge: bool
    bandwidth: int  # bytes a second
    downtime: int  # milliseconds
    timeout: int  # seconds


class WentBack(TypedDict):
    address: str
    uuid: str
    asked: int  # it went back in this state of the store, so another time is another want


class InstanceOrigin(TypedDict):
    snapshot: WentBack


class InstanceWant(Identified, total=False):
    agent: bool
    architecture: str
    autostart: bool
    boot: List[str]
    cdrom: ImageRef
    cpu: str
    devices: Dict[str, int]
    firmware: str
    graphics: str
    hostname: str
    hugepages: str
    hypervisor: str
    image: ImageRef
    labels: Dict[str, str]
    machine: str
    max_memory: int
    max_vcpus: int
    memory: int
    migration: MigrationWant
    nics: Dict[str, NicWant]  # by the name of the network
    origin: InstanceOrigin
    os: str
    ports: Dict[str, PortWant]
    properties: Dict[str, str]
    root: RootWant
    seed: SeedWant
    shelved: bool  # it takes no room but that of its disks
    state: str
    stop_timeout: int
    topology: Dict[str, int]
    tpm: bool
    vcpus: int
    volumes: Dict[str, AttachedVolume]  # by address
    wait: WaitWant
    watchdog: str


def compare(want: Mapping[str, Any], have: Mapping[str, Any]) -> List[generic.Difference]:
    wanted, there = _compared(want), _compared(have)
    _same_machine(wanted, there)
    _no_maximum(wanted, there)
    _same_names(wanted, there)
    return generic.compare(wanted, there)


def _compared(fields: Mapping[str, Any]) -> dict[str, Any]:
    # What it went back to is its past. Its UUID says which domain it is: another name is never a reason to stop it.
    found = generic.without(fields, "name", "origin")
    for name in ("memory", "max_memory"):
        if isinstance(found.get(name), int):
            found[name] = -(-found[name] // KIB) * KIB
    root = dict(found.get("root") or {})
    if isinstance(root.get("size"), int):
        root["size"] = -(-root["size"] // SECTOR) * SECTOR
    found["root"] = root
    # An image under another name is the same image.
    for name in ("image", "cdrom"):
        if found.get(name):
            found[name] = generic.without(found[name], "address")
    found["seed"] = generic.without(found.get("seed") or {}, "on_change")
    found["ports"] = {key: _port(port) for key, port in (found.get("ports") or {}).items()}
    found["nics"] = {key: generic.without(nic, "network") for key, nic in (found.get("nics") or {}).items()}
    found["volumes"] = {key: _volume(one) for key, one in (found.get("volumes") or {}).items()}
    return found


def _port(port: Mapping[str, Any]) -> dict[str, Any]:
    return dict(port, mac=(port.get("mac") or "").lower())


def _volume(one: Mapping[str, Any]) -> dict[str, Any]:
    """Guests identify disks by serial number. The device is compared only if the user chose it."""
    return dict(one) if one.get("pinned") else generic.without(one, "device", "pinned")


def _same_machine(wanted: dict[str, Any], there: dict[str, Any]) -> None:
    """libvirt turns `q35` into `pc-q35-8.2` when it defines a domain, and keeps it."""
    name = str(wanted.get("machine"))
    pattern = r"(pc-)?{0}-[0-9].*".format("i440fx" if name == "pc" else re.escape(name))
    if re.fullmatch(pattern, str(there.get("machine"))):
        there["machine"] = wanted["machine"]


def _no_maximum(wanted: dict[str, Any], there: dict[str, Any]) -> None:
    """Without its own maximum, a value is its maximum: compare it only once."""
    for name in ("memory", "vcpus"):
        if all(fields.get("max_" + name) == fields.get(name) for fields in (wanted, there)):
            for fields in (wanted, there):
                fields.pop("max_" + name, None)


def _same_names(wanted: dict[str, Any], there: dict[str, Any]) -> None:
    """An interface is identified by its MAC, and a volume by its UUID, also if they have other names now."""
    renamed = generic.renamed(wanted["ports"], there["ports"], "mac")
    for field in ("ports", "nics"):
        there[field] = {renamed.get(key, key): value for key, value in there[field].items()}
    renamed = generic.renamed(wanted["volumes"], there["volumes"], "uuid")
    there["volumes"] = {renamed.get(key, key): value for key, value in there["volumes"].items()}
