"""Why a domain cannot be taken over: what would have to be guessed, or is somebody else's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from stead.adoption.strangers import StrangeDisk, StrangeNic, Stranger
from stead.drivers.hypervisor import by_hypervisor

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_DEVICE = re.compile(r"[a-z]{2,4}")
_FOLDER = re.compile(r"/[A-Za-z0-9._/+-]*[A-Za-z0-9._+-]")
FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*")
FORMATS = ("qcow2", "raw")
MODELS = ("virtio", "e1000e", "e1000", "rtl8139")
BUSES = ("virtio", "scsi", "sata", "ide")
CACHES = ("", "none", "writeback", "writethrough", "directsync", "unsafe")
ARCHITECTURES = ("x86_64", "aarch64", "ppc64le", "s390x", "riscv64")
STATES = ("running", "stopped", "paused", "suspended")
LEAST_MEMORY = 16 << 20


def blocking(one: Stranger, twins: Sequence[Stranger], files: Mapping[tuple[str, str], str]) -> Iterator[str]:
    """`twins` are all with its UUID, `files` those that are volumes of others by now."""
    if one.label:
        address, site = one.label.get("address", ""), one.label.get("site", "")
        yield f"{one.name} is Stead's own: it is {address!r} of site {site!r}. Nothing is to be done."
        return
    if one.trouble:
        yield f"{one.name}: its definition cannot be understood: {one.trouble}."
        return
    if len(twins) > 1:
        others = ", ".join(sorted(twin.title for twin in twins))
        yield f"UUID {one.uuid} is that of {others}. Undefine the copy that is not to run, or name one with --host."
    yield from _machine(one)
    disks = [disk for disk in one.disks if disk.kind == "disk"]
    if not disks:
        yield f"{one.name} has no disk. An instance boots from an image or a volume."
    for disk in disks:
        yield from (f"{one.name}: disk {disk.device}: {text}" for text in _disk(disk, one, files))
    for nic in one.nics:
        yield from (f"{one.name}: interface {nic.mac}: {text}" for text in _nic(nic))


def _machine(one: Stranger) -> Iterator[str]:
    if not _UUID.fullmatch(one.uuid):
        yield f"{one.name!r} has no UUID that can be kept: {one.uuid!r}."
    if one.hypervisor not in by_hypervisor():
        yield f"{one.name} is run by {one.hypervisor!r}. Stead knows {', '.join(sorted(by_hypervisor()))}."
    if one.architecture not in ARCHITECTURES:
        yield f"{one.name} is of architecture {one.architecture!r}, which a spec has no word for."
    if one.state not in STATES:
        yield f"{one.name} is {one.state}. Start it, or shut it off, and import it then."
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", one.machine):
        yield f"{one.name} has machine type {one.machine!r}, which a spec has no word for."
    if one.memory < LEAST_MEMORY or one.vcpus < 1:
        yield f"{one.name} has {one.memory} bytes of memory and {one.vcpus} vCPUs, less than an instance can have."


def _disk(disk: StrangeDisk, one: Stranger, files: Mapping[tuple[str, str], str]) -> Iterator[str]:
    path = PurePosixPath(disk.path)
    if disk.type != "file":
        yield f"it is of type {disk.type!r}. Only files are taken over, where they are; copy it to a file, or a volume."
        return
    if disk.trouble:
        yield f"{disk.path}: {disk.trouble}."
    if disk.format not in FORMATS:
        yield f"its format is {disk.format!r}. Convert it to qcow2 or raw first."
    if ".." in path.parts or not _FOLDER.fullmatch(str(path.parent)) or not FILE.fullmatch(path.name):
        yield f"{disk.path!r} has characters that a pool's file cannot have. Rename it while the domain is off."
    if disk.bus not in BUSES or not _DEVICE.fullmatch(disk.device):
        yield f"its bus is {disk.bus!r}; an instance has disks on {', '.join(BUSES)}."
    if disk.cache not in CACHES:
        yield f"its cache is {disk.cache!r}, which a spec has no word for."
    if (one.host, disk.path) in files and not disk.shareable:
        yield f"{disk.path} is a disk of another domain too, and is not marked shareable."


def _nic(nic: StrangeNic) -> Iterator[str]:
    if nic.type not in ("bridge", "network") or not (nic.bridge or nic.network):
        yield f"it is of type {nic.type!r}. Instances are in bridges, and in networks of libvirt that are bridges."
    if not _MAC.fullmatch(nic.mac):
        yield "its MAC address cannot be read."
    if nic.model not in MODELS:
        yield f"its model is {nic.model!r}; an instance has {', '.join(MODELS)}."
