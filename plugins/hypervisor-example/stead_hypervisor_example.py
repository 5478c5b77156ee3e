# ruff: noqa: INP001 - one file is the whole package
"""The controller's half: virtual machines by Cloud Hypervisor, each a unit of systemd.

They have processors, memory, disks in files and interfaces without a filter, and nothing beside: the table says so, and
what it cannot do is refused when a plan is made.
"""

from __future__ import annotations

from collections.abc import Sequence

from stead.core.driver import DriverScope, Proven, no, yes
from stead.drivers.hypervisor import HypervisorDriver

NAME = "cloud-hypervisor"


def cannot(what: str) -> str:
    return f"Instances by {NAME} have no {what}. Leave it out, or use another hypervisor."


def console(uuid: str) -> Sequence[str]:
    return ["tail", "-n", "50", "-f", f"/var/lib/stead/instances/{uuid}/console.log"]


DRIVER = HypervisorDriver(
    name=NAME,
    help="Virtual machines by Cloud Hypervisor, with KVM.",
    scope=DriverScope.HOST,
    capabilities={
        "adjust": no(cannot("changes while they run")),
        "grow": no(cannot("disks that grow while they run")),
        "copy": no(cannot("copies of disks in use")),
        "agent": no(cannot("guest agent")),
        "console": yes(Proven.NOT_HERE, "to read"),
        "graphics": no(cannot("graphical console")),
        "uefi": no(cannot("UEFI firmware")),
        "secure_boot": no(cannot("secure boot")),
        "tpm": no(cannot("TPM")),
        "watchdog": no(cannot("watchdog")),
        "cdrom": no(cannot("CD drive")),
        "network_boot": no(cannot("boot from a network")),
        "ignition": no(cannot("configuration for Ignition")),
        "cpu": no(cannot("CPU models")),
        "topology": no(cannot("CPU topology")),
        "hugepages": no(cannot("huge pages")),
        "devices": no(cannot("devices of the host")),
        "pause": no(cannot("pause")),
        "suspend": no(cannot("memory that is kept while they are off")),
        "migrate": no(cannot("way to another host while they run")),
        "disk_images": yes(Proven.NOT_HERE),
        "rootfs": no(cannot("root file systems in the place of a disk")),
        "volumes": yes(Proven.NOT_HERE, "of pools of their own host"),
        "extra_disks": no(cannot("swap and ephemeral disks")),
        "bandwidth": no(cannot("limits of bandwidth")),
        "disk_limits": no(cannot("limits of the speed of their root disk")),
    },
    runs={NAME: "host-passthrough"},
    slow=frozenset(),
    programs={NAME: (30, 0)},
    console=console,
)
