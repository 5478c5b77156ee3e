"""Hypervisor drivers: what runs instances on a host, and what instances can have with each.

An instance's `hypervisor` is not the driver's name but one of the words in its `runs`: one driver may run guests in
several ways, which differ in speed and in little else. Who names none gets the first of these that its host has.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import Any, Protocol

from stead.core.driver import Capabilities, Capability, DriverScope, Feature, capability
from stead.core.value import value
from stead.drivers import drivers

FAMILY = "hypervisor"

ADJUST = Feature("adjust", "interfaces, volumes and limits that change while it runs", ("adjust",))
GROW = Feature("grow", "disks that grow while it runs", ("grow",))
COPY = Feature("copy", "snapshots and backups of volumes in use", ("copy", "abandon"))
AGENT = Feature("agent", "a guest agent", ("ask",))
CONSOLE = Feature("console", "a serial console")
GRAPHICS = Feature("graphics", "a graphical console", ("screen",))
UEFI = Feature("uefi", "UEFI firmware")
SECURE_BOOT = Feature("secure_boot", "secure boot")
TPM = Feature("tpm", "a TPM")
WATCHDOG = Feature("watchdog", "a watchdog")
CDROM = Feature("cdrom", "a CD drive")
NETWORK_BOOT = Feature("network_boot", "booting from a network")
CPU = Feature("cpu", "CPU models")
TOPOLOGY = Feature("topology", "CPU topology")
HUGEPAGES = Feature("hugepages", "memory in huge pages")
DEVICES = Feature("devices", "devices of the host")
PAUSE = Feature("pause", "pausing", ("pause",))
SUSPEND = Feature("suspend", "keeping its memory on a disk while it is off", ("suspend", "is_suspended"))
MIGRATE = Feature("migrate", "moving to another host while it runs")  # called as the step is
DISK_IMAGES = Feature("disk_images", "images of a disk, and blank root disks")
ROOTFS = Feature("rootfs", "images of a root file system")
VOLUMES = Feature("volumes", "volumes")
EXTRA_DISKS = Feature("extra_disks", "swap and ephemeral disks")
BANDWIDTH = Feature("bandwidth", "limits of bandwidth")
DISK_LIMITS = Feature("disk_limits", "limits of the speed of a root disk")
IGNITION = Feature("ignition", "configurations for Ignition and Combustion")
FEATURES = (
    ADJUST, GROW, COPY, AGENT, CONSOLE, GRAPHICS, UEFI, SECURE_BOOT, TPM, WATCHDOG, CDROM, NETWORK_BOOT, CPU, TOPOLOGY,
    HUGEPAGES, DEVICES, PAUSE, SUSPEND, MIGRATE, DISK_IMAGES, ROOTFS, VOLUMES, EXTRA_DISKS, BANDWIDTH, DISK_LIMITS,
    IGNITION,
)  # fmt: skip


class GuestPresence(StrEnum):
    """What a host has of a guest, while that is moved."""

    RUNNING = "running"
    PAUSED = "paused"
    MOVING = "moving"  # paused by the move: it goes on there, or here
    OFF = "off"
    ABSENT = "absent"
    UNSETTLED = "being looked for"  # by a hypervisor that has started anew, and cannot know yet


@value
class MoveRequest:
    uuid: str
    want: Mapping[str, Any]
    source: str  # programs of the controller that reach the hypervisors of both hosts
    target: str
    address: str  # of the target, for what hosts send each other
    encrypted: bool = True  # by certificates that both hosts have; else it fails
    paused: bool = False  # it arrives as it left

    @property
    def policy(self) -> Mapping[str, Any]:
        return self.want.get("migration") or {}


class ConsoleLog(Protocol):
    """What prints the last bytes, or lines, that the guest with this UUID wrote on its console, on its host."""

    def __call__(self, uuid: str, last: int, *, lines: bool = False, follow: bool = False) -> Sequence[str]: ...


@value
class Mover:
    """How a guest gets to another host: by commands of the controller, which reaches both hypervisors."""

    program: str
    package: str  # of Debian, that has it
    relay: Sequence[str]
    """What reaches the hypervisor on its host, as one program's input and output."""
    move: Callable[[MoveRequest], Sequence[str]]
    """Ends when it is there, or stays. An interrupt (SIGINT) cancels it."""
    limit: Callable[[MoveRequest], Sequence[str]]
    """What goes before a move, by its policy; nothing where there is nothing to set."""
    ask: Callable[[str, str], Sequence[str]]
    """What is there of a guest: (program that reaches its host, UUID)."""
    presence: Callable[[str], GuestPresence]
    """What the answer to that means."""
    resume: Callable[[str, str], Sequence[str]]
    watch: Callable[[str, str], Sequence[str]]
    """How far it is: (program that reaches the source, UUID)."""
    progress: Callable[[str], str]
    """That answer in words; empty where it says nothing."""


@value
class HypervisorDriver:
    name: str
    help: str
    scope: DriverScope
    capabilities: Capabilities
    runs: Mapping[str, str]
    """What the `hypervisor` of an instance may be -> the CPU that it gets when it names none; the best comes first."""
    slow: frozenset[str]
    """Those of `runs` that emulate the processor."""
    programs: Mapping[str, tuple[int, int]]
    """On hosts, with their oldest versions that do; a guest may not move to an older one than it was started by."""
    console: Callable[[str], Sequence[str]]
    """What opens the serial console of the guest with this UUID, on its host."""
    console_log: ConsoleLog | None = None
    """None: what it wrote there is kept nowhere."""
    mover: Mover | None = None
    by_name: bool = False
    """It shares more with its host than others: it runs who names it, or whose image no other can run."""
    root_format: str | None = None
    """Of root disks, where it cannot open those of every format."""


@cache
def all_of_them() -> Mapping[str, HypervisorDriver]:
    return drivers(FAMILY, HypervisorDriver)


@cache
def by_hypervisor() -> Mapping[str, HypervisorDriver]:
    """By what instances call it, the last resorts last. Of two that claim the same, the first has it."""
    found: dict[str, HypervisorDriver] = {}
    for driver in sorted(all_of_them().values(), key=lambda one: one.by_name):
        for name in driver.runs:
            found.setdefault(name, driver)
    return found


def preferred(able: Collection[str], features: Collection[Feature] = ()) -> str:
    """Of what a host has, the best that can do this; the best there is where it is not known what a host has."""
    known = capable(features) or tuple(by_hypervisor())
    return next((name for name in known if name in able), known[0])


def capable(features: Collection[Feature]) -> tuple[str, ...]:
    """Those that can do all of it, the best first."""
    return tuple(name for name in by_hypervisor() if all(of(name, one).can for one in features))


@cache
def known_of(hypervisors: frozenset[str]) -> frozenset[str]:
    """Those that there is code for."""
    return frozenset(one for one in hypervisors if one in by_hypervisor())


@cache
def slow() -> frozenset[str]:
    """Those that emulate the processor."""
    return frozenset(name for driver in all_of_them().values() for name in driver.slow)


def cpu_of(hypervisor: str) -> str:
    """What an instance has that names no CPU."""
    return by_hypervisor()[hypervisor].runs[hypervisor]


def root_format(hypervisor: str) -> str | None:
    """What its root disks have to be, if not what their pool says."""
    driver = by_hypervisor().get(hypervisor)
    return driver.root_format if driver is not None else None


def of(hypervisor: str, feature: Feature) -> Capability:
    return capability(by_hypervisor().get(hypervisor), feature, hypervisor)


def lacks(feature: Feature) -> str:
    """The trait of a host none of whose hypervisors can."""
    return f"without:{feature.name}"


@cache
def traits(hypervisors: frozenset[str]) -> frozenset[str]:
    """Of a host that has these."""
    found = known_of(hypervisors)
    return frozenset(lacks(one) for one in FEATURES if found and not any(of(name, one).can for name in found))


def asked(want: Mapping[str, Any]) -> Iterator[Feature]:
    """What the want of an instance takes that not every hypervisor may have."""
    firmware, root, seed = want.get("firmware", "bios"), want.get("root") or {}, want.get("seed") or {}
    found = {
        ROOTFS: is_rootfs(want),
        DISK_IMAGES: want.get("image") is not None and not is_rootfs(want),
        VOLUMES: want.get("volumes") or root.get("volume"),
        EXTRA_DISKS: root.get("swap") or root.get("ephemeral"),
        DISK_LIMITS: root.get("iops") or root.get("throughput"),
        BANDWIDTH: any(one.get("bandwidth") for one in (want.get("nics") or {}).values()),
        TPM: want.get("tpm"),
        UEFI: firmware != "bios",
        SECURE_BOOT: firmware == "uefi-secure",
        WATCHDOG: want.get("watchdog", "none") != "none",
        CDROM: want.get("cdrom"),
        NETWORK_BOOT: "network" in want.get("boot", ()),
        TOPOLOGY: want.get("topology"),
        HUGEPAGES: want.get("hugepages"),
        DEVICES: want.get("devices"),
        IGNITION: seed.get("ignition") or seed.get("combustion"),
        PAUSE: want.get("state") == "paused",
        SUSPEND: want.get("state") == "suspended",
    }
    return (feature for feature, is_asked in found.items() if is_asked)


def is_rootfs(want: Mapping[str, Any]) -> bool:
    """Whether its image is a root file system."""
    return bool((want.get("image") or {}).get("rootfs"))


def refusal(want: Mapping[str, Any]) -> str:
    """Why no host makes it; empty where hosts do."""
    hypervisor = want.get("hypervisor") or preferred(())
    if hypervisor not in by_hypervisor():
        return unknown(hypervisor)
    return next((found.text for one in asked(want) if not (found := of(hypervisor, one)).can), "")


def unknown(hypervisor: str) -> str:
    known = " or ".join(f"`{name}`" for name in by_hypervisor())
    return f"There is no code for instances by {hypervisor}. Write {known}, or leave `hypervisor` out."
