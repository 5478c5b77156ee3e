"""What a user may write of an instance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from stead.core.address import Address
from stead.core.fields import (
    INVENTORY,
    LINE,
    LINES,
    Duration,
    Example,
    Filled,
    Granted,
    Name,
    Ref,
    Size,
    Text,
    Whole,
)
from stead.core.value import field, value
from stead.kinds.instance.first_boot import CloudInit, Ignition
from stead.kinds.instance.pacing import MigrationPolicy
from stead.kinds.shared.interfaces import AllowedAddresses, OwnAddress, OwnMac, OwnSubnets, PortSecurity
from stead.kinds.shared.sizing import MACHINE, TRAIT, Flavor


@value
class Nic:
    """A network interface."""

    SHORT: ClassVar[str] = "network"

    network: Annotated[Address, Ref("networks"), "Network it is in", Example("app")]
    port: Annotated[
        Address | None,
        Ref("ports"),
        "Port of this network that it is: addresses, MAC and filters are the port's, and stay when the instance goes",
        Example("www"),
    ] = None
    address: OwnAddress = ()
    subnets: OwnSubnets = None
    mac: OwnMac = None
    security_groups: Annotated[
        tuple[Annotated[Address, Ref("security_groups")], ...] | None,
        "Security groups of this interface; left out, those of the instance",
        Example(["web"]),
    ] = None
    port_security: PortSecurity = None
    allowed_addresses: AllowedAddresses = ()
    model: Annotated[
        Literal["virtio", "e1000e", "e1000", "rtl8139"] | None, "Model of the device; left out, as the image says"
    ] = None
    bandwidth: Annotated[int | None, Whole(least=1), "Mbit/s at most; left out, as the flavor says", Example(100)] = (
        None
    )


@value
class Attachment:
    """A volume in use by an instance."""

    SHORT: ClassVar[str] = "volume"

    volume: Annotated[Address, Ref("volumes"), "The volume", Example("pgdata")]
    bus: Annotated[
        Literal["virtio", "scsi", "sata", "ide"] | None, "Bus; left out, that of the image, or virtio", Example("scsi")
    ] = None
    device: Annotated[
        str | None,
        Text(pattern=r"(vd|sd|hd)[b-v]", what="a device name such as vdb"),
        "Name of the device; left out, the next free one",
        Example("vdb"),
    ] = None
    mode: Annotated[Literal["rw", "ro"], "Read and write, or read only"] = "rw"
    cache: Annotated[
        Literal["none", "writeback", "writethrough", "directsync", "unsafe"] | None, "Cache of the host"
    ] = None


@value
class Spread:
    """Keeps instances apart."""

    SHORT: ClassVar[str] = "over"

    over: Annotated[Literal["hosts", "zones"], "Apart over hosts, or over zones"] = "hosts"
    hard: Annotated[bool, "Rather refuse than place two together"] = True
    limit: Annotated[
        int | None,
        Whole(least=1),
        "The most of the group in one host or zone; left out, 1 on a host, and as even as the zones allow",
        Example(2),
    ] = None
    group: Annotated[
        str | None, Name(), "Group of this name in the project; left out, the members of this instance", Example("etcd")
    ] = None


@value
class Together:
    """Keeps instances together."""

    SHORT: ClassVar[str] = "over"

    over: Annotated[Literal["hosts", "zones"], "On one host, or in one zone"] = "hosts"
    hard: Annotated[bool, "Rather refuse than place one elsewhere"] = True
    group: Annotated[
        str | None,
        Name(),
        "Group of this name in the project; left out, the members of this instance",
        Example("cache"),
    ] = None


@value
class Disk:
    """The root disk, where it is to differ from what flavor and image say."""

    size: Annotated[int | None, Size(), "Size; left out, as the flavor says", Example("40GiB")] = None
    pool: Annotated[
        str | None, INVENTORY, Granted("pools"), "Storage pool; left out, as the flavor says", Example("fast")
    ] = None
    bus: Annotated[Literal["virtio", "scsi", "sata", "ide"] | None, "Bus; left out, as the image says"] = None
    cache: Annotated[
        Literal["none", "writeback", "writethrough", "directsync", "unsafe"] | None, "Cache of the host"
    ] = None
    generation: Annotated[
        int, Whole(least=1), "Another number is another disk: a new one, with consent for the data lost", Example(2)
    ] = 1


@value
class WaitFor:
    """What ready means. A step that starts the instance is done once it is."""

    SHORT: ClassVar[str] = "for"

    for_: Annotated[
        Literal["address", "ssh", "http", "agent", "cloud-init"],
        "It answers for its address; SSH or HTTP answers; its guest agent answers; cloud-init has ended",
        Example("ssh"),
    ]
    timeout: Annotated[
        int, Duration(), Granted("longest_wait"), "How long it may take until its step fails", Example("10m")
    ] = 300
    network: Annotated[
        Address | None, Ref("networks"), "Network to look through; left out, the first in which it has an address"
    ] = None
    port: Annotated[int | None, Whole(least=1, most=65535), "Port; left out, 22 of ssh and 80 of http"] = None
    path: Annotated[str | None, Text(pattern=r"/[!-~]*", what="a path such as /health"), "Path, of http"] = None
    status: Annotated[
        int | None, Whole(least=100, most=599), "Status that it must answer with, of http; left out, any below 400"
    ] = None


@value
class Instance:
    flavor: Annotated[
        Annotated[Address, Ref("flavors")] | Flavor,
        "A flavor by name, or its fields",
        Example("small"),
    ]
    image: Annotated[Address | None, Ref("images"), "Image of the root disk", Example("debian-12")] = None
    boot_volume: Annotated[
        Address | None, Ref("volumes"), "Volume to boot from, in the place of an image", Example("db-root")
    ] = None
    disk: Annotated[Disk | None, "The root disk, where it differs from the flavor's", Example({"pool": "fast"})] = None
    cdrom: Annotated[Address | None, Ref("images"), "An iso image in the drive", Example("rescue-iso")] = None
    networks: Annotated[
        tuple[Nic, ...],
        "Networks it is in, an interface for each, in order",
        Example([{"network": "app", "address": "10.20.0.10"}]),
    ] = ()
    volumes: Annotated[tuple[Attachment, ...], "Volumes it uses", Example(["pgdata"])] = ()
    security_groups: Annotated[
        tuple[Annotated[Address, Ref("security_groups")], ...] | None,
        "Security groups of its interfaces; left out, the project's default group",
        Example(["web"]),
    ] = None
    keypairs: Annotated[
        tuple[Annotated[Address, Ref("keypairs")], ...], "Key pairs that may log in", Example(["ada"])
    ] = ()
    cloud_init: Annotated[CloudInit | None, "What cloud-init finds at the first boot"] = None
    ignition: Annotated[
        Ignition | None,
        "What Ignition or Combustion read at the first boot, by the firmware's configuration (fw_cfg)",
    ] = None
    config_drive: Annotated[
        bool, "A small disk from which cloud-init reads; without it, the guest keeps its own names and keys"
    ] = True
    domain: Annotated[
        str | None,
        Text(pattern=r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", what="the UUID of a domain"),
        Granted("adopt"),
        "UUID of an existing domain of `host` that it is: it is taken over as it is, and not made",
        Example("4dea22b3-1d52-d8f3-2516-782e98ab3fa0"),
    ] = None
    hostname: Annotated[
        str | None, Name(), "Host name; left out, the instance's name, with its number where there is a count"
    ] = None
    state: Annotated[
        Literal["running", "stopped", "paused", "suspended", "shelved"],
        "Whether it runs; paused keeps its memory in that of its host, suspended on a disk there; shelved is stopped, "
        "and keeps only the room of its disks",
    ] = "running"
    autostart: Annotated[bool, "Start it with its host"] = True
    wait: Annotated[
        WaitFor | None,
        "What ready means: a step that starts it is done once it is, and what depends on it waits",
        Example({"for": "ssh", "timeout": "5m"}),
    ] = None
    stop_timeout: Annotated[
        int,
        Duration(),
        Granted("longest_wait"),
        "How long it may take to shut down before it is switched off",
        Example("2m"),
    ] = 60
    migration: Annotated[
        MigrationPolicy | None,
        "How it moves to another host while it runs",
        Example({"downtime": "500ms", "auto_converge": True}),
    ] = None
    zone: Annotated[
        Annotated[str, INVENTORY] | tuple[Annotated[str, INVENTORY], ...],
        "Zone of its host, or a list of zones that will do",
        Example("east"),
    ] = ()
    host: Annotated[
        str, INVENTORY, Granted("hosts"), "The host it must be on; left out, it is chosen", Example("compute-3")
    ] = ""
    traits: Annotated[tuple[Annotated[str, TRAIT], ...], "Traits that its host must have", Example(["ssd"])] = ()
    forbidden_traits: Annotated[tuple[Annotated[str, TRAIT], ...], "Traits that its host must not have"] = ()
    preferred_traits: Annotated[tuple[Annotated[str, TRAIT], ...], "Traits that make a host the better choice"] = ()
    spread: Annotated[Spread | tuple[Spread, ...], "Keep its members, or a named group, apart", Example("hosts")] = ()
    together: Annotated[
        Together | tuple[Together, ...], "Keep its members, or a named group, together", Example("zones")
    ] = ()
    policy: Annotated[
        Literal["balance", "pack", "spread", "nova"] | None, "How it chooses among the hosts that fit"
    ] = None
    priority: Annotated[
        int,
        Whole(least=-1000, most=1000),
        Granted("priority"),
        "Who is started first, where several are to be; and who is started at all, where its host is dead and the "
        "others have no room for all: the higher",
        Example(100),
    ] = 0
    hypervisor: Annotated[
        str | None,
        Name(),
        "What runs it: kvm, or qemu for emulation; left out, the best that its host has",
        Example("qemu"),
    ] = None
    architecture: Annotated[
        Literal["x86_64", "aarch64", "ppc64le", "s390x", "riscv64"] | None, "CPU; left out, as the image says"
    ] = None
    machine: Annotated[
        str | None, MACHINE, "Machine type; left out, as the image says, or q35 or virt", Example("q35")
    ] = None
    cpu: Annotated[
        str | None,
        Text(pattern=r"[A-Za-z0-9._-]+", what="host-passthrough, host-model, maximum, or the name of a model"),
        "CPU model; left out, as its hypervisor says: host-model with kvm (it migrates), maximum with qemu",
        Example("host-passthrough"),
    ] = None
    firmware: Annotated[
        Literal["bios", "uefi", "uefi-secure"] | None, "Firmware; left out, as the image says, or bios"
    ] = None
    boot: Annotated[
        tuple[Literal["disk", "cdrom", "network"], ...],
        Filled("the disk"),
        "Order of boot devices",
        Example(["cdrom", "disk"]),
    ] = ("disk",)
    graphics: Annotated[
        Literal["vnc", "spice", "none"], "Graphical console, on a UNIX socket that only root of the host opens"
    ] = "vnc"
    agent: Annotated[bool, "A channel for the guest agent"] = True
    tpm: Annotated[bool, "An emulated TPM 2.0"] = False
    watchdog: Annotated[
        Literal["none", "reset", "poweroff", "pause"], "A watchdog, and what it does when the guest stops feeding it"
    ] = "none"
    properties: Annotated[
        Mapping[Annotated[str, LINE], Annotated[str, LINES]],
        "Meta data of your own; the inventory of instances shows it",
    ] = field(default_factory=dict)
    description: Annotated[str, Text(lines=True), "For people"] = ""
