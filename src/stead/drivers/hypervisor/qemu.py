"""Virtual machines by QEMU, through libvirt.

One driver with two accelerations, which specs and inventories have always called two hypervisors: `kvm`, and `qemu` for
emulation. A definition differs in one word, and all code is the same, so two drivers would be one table written twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from stead.core.driver import DriverScope, Proven, no, yes
from stead.drivers.hypervisor import GuestPresence, HypervisorDriver, Mover, MoveRequest

LOCAL = "qemu:///system"
_INSTANCES = "/var/lib/stead/instances"
_MIB = 1 << 20
# A guest's own disks, by their part of the want, and the letter of each.
_OWN = (("size", "a"), ("swap", "y"), ("ephemeral", "x"))
_PREFIX = {"virtio": "vd", "scsi": "sd", "sata": "sd", "ide": "hd"}


def console(uuid: str) -> Sequence[str]:
    return ["virsh", "--connect", LOCAL, "console", uuid]


def console_log(uuid: str, last: int, *, lines: bool = False, follow: bool = False) -> Sequence[str]:
    how = [*(["-F"] if follow else []), "-n" if lines else "-c"]
    return ["tail", *how, str(last), f"{_INSTANCES}/{uuid}/console.log"]


def _at(way: str) -> str:
    return f"qemu+ext:///system?command={quote(way)}"


def move(asked: MoveRequest) -> Sequence[str]:
    """The source gives it up only when it runs on the target."""
    words = ["virsh", "--connect", _at(asked.source), "migrate", "--persistent", "--undefinesource"]
    words += ["--live", "--migrateuri", f"tcp://{asked.address}", "--listen-address", asked.address]
    words += ["--tls"] if asked.encrypted else []
    words += ["--auto-converge"] if asked.policy.get("auto_converge") else []
    if bandwidth := asked.policy.get("bandwidth"):
        words += ["--bandwidth", str(bandwidth // _MIB)]
    if disks := own_disks(asked.want):
        words += ["--copy-storage-inc", "--migrate-disks", ",".join(disks)]
    return [*words, asked.uuid, _at(asked.target)]


def limit(asked: MoveRequest) -> Sequence[str]:
    """The pause is a setting of the guest, of this one move: what runs on the target is another process."""
    downtime = asked.policy.get("downtime")
    if not downtime:
        return []
    return ["virsh", "--connect", _at(asked.source), "migrate-setmaxdowntime", asked.uuid, str(downtime)]


def own_disks(want: Mapping[str, Any]) -> list[str]:
    """What the guest calls the disks that are on its host alone."""
    root = want["root"]
    names = {name for name, _letter in _OWN if root.get(name)} - ({"size"} if "volume" in root else set())
    return [_PREFIX[root["bus"]] + letter for name, letter in _OWN if name in names]


def ask(way: str, uuid: str) -> Sequence[str]:
    """Whether libvirt can command it comes first: what it says of a guest that it looks for is from before."""
    return ["virsh", "--connect", _at(way), f"domcontrol {uuid}; domstate --reason {uuid}"]


def presence(said: str) -> GuestPresence:
    *control, last = [line for line in said.splitlines() if line.strip()] or [""]
    if control and control[0].strip() != "ok":
        return GuestPresence.UNSETTLED
    state, _, reason = last.strip().partition(" (")
    if state == "paused":
        return GuestPresence.MOVING if reason.startswith("migrati") else GuestPresence.PAUSED
    if state in ("shut off", "crashed"):
        return GuestPresence.OFF
    return GuestPresence.RUNNING if state else GuestPresence.ABSENT


def resume(way: str, uuid: str) -> Sequence[str]:
    return ["virsh", "--connect", _at(way), "resume", uuid]


def watch(way: str, uuid: str) -> Sequence[str]:
    return ["virsh", "--connect", _at(way), "domjobinfo", "--rawstats", uuid]


def progress(said: str) -> str:
    told = {name: int(text) for name, _, text in (line.partition(": ") for line in said.splitlines()) if text.isdigit()}
    total, left = told.get("data_total", 0), told.get("data_remaining", 0)
    if not total:
        return ""
    sent, took = told.get("data_processed", 0), told.get("time_elapsed", 0)
    words = f"{sent / _MIB:,.0f} MiB sent, {left / _MIB:,.0f} MiB left"
    if sent and took:
        words += f", {left * took / sent / 1000:.0f} s to go"
    if dirty := told.get("memory_dirty_rate", 0) * told.get("memory_page_size", 0):
        words += f", memory changes at {dirty / _MIB:,.0f} MiB/s"
    return words


DRIVER = HypervisorDriver(
    name="qemu",
    help="Virtual machines by QEMU, through libvirt; with KVM, or emulated.",
    scope=DriverScope.HOST,
    capabilities={
        "adjust": yes(Proven.LAB),
        "grow": yes(Proven.LAB),
        "copy": yes(Proven.LAB),
        "agent": yes(Proven.NOT_HERE, "with qemu-guest-agent in the image"),
        "console": yes(Proven.LAB),
        "graphics": yes(Proven.LAB),
        "uefi": yes(Proven.LAB, "where the firmware is installed"),
        "secure_boot": yes(Proven.LAB, "with machine q35"),
        "tpm": yes(Proven.NOT_HERE, "where swtpm is installed"),
        "watchdog": yes(Proven.LAB),
        "cdrom": yes(Proven.LAB),
        "network_boot": yes(Proven.LAB),
        "cpu": yes(Proven.LAB, "those of the host's processor; emulated, those that QEMU emulates"),
        "topology": yes(Proven.LAB),
        "hugepages": yes(Proven.NOT_HERE, "where the host sets huge pages aside"),
        "devices": no(
            "This version passes no device of a host through to an instance. Leave `devices` out. `traits` choose a "
            'host that has it, and `reserve: {"device:NAME": 1}` counts it.'
        ),
        "pause": yes(Proven.LAB),
        "suspend": yes(
            Proven.LAB, "where the disk of the host has room for its memory, in `/var/lib/libvirt/qemu/save`"
        ),
        "migrate": yes(Proven.LAB, "between hosts with the same pools and processors alike"),
        "disk_images": yes(Proven.LAB),
        "rootfs": no(
            "An image of format tar or squashfs is a root file system, without a kernel to boot. Use an image of a "
            "disk, or `hypervisor: lxc`."
        ),
        "volumes": yes(Proven.LAB),
        "extra_disks": yes(Proven.LAB),
        "bandwidth": yes(Proven.LAB),
        "disk_limits": yes(Proven.LAB),
        "ignition": yes(Proven.LAB, "by fw_cfg"),
    },
    runs={"kvm": "host-model", "qemu": "maximum"},
    slow=frozenset({"qemu"}),
    programs={"libvirt": (7, 0), "qemu": (6, 0)},
    console=console,
    console_log=console_log,
    mover=Mover(
        program="virsh",
        package="libvirt-clients",
        relay=("virt-ssh-helper", LOCAL),
        move=move,
        limit=limit,
        ask=ask,
        presence=presence,
        resume=resume,
        watch=watch,
        progress=progress,
    ),
)
