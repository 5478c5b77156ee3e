"""System containers by LXC, each in user namespaces and with identifiers of its own.

A container shares its host's kernel. What a guest with a kernel of its own has, it has not: the table says so, and a
plan refuses it. Its root file system is one that Stead made from an archive: the kernel of a host never mounts what a
guest wrote byte by byte, and that is why it takes no volumes.
"""

from __future__ import annotations

from collections.abc import Sequence

from stead.core.driver import DriverScope, Proven, no, yes
from stead.drivers.hypervisor import HypervisorDriver

NAME = "lxc"
CONTAINERS = "/var/lib/stead/lxc"
_INSTANCES = "/var/lib/stead/instances"


def _cannot(what: str) -> str:
    return f"Containers have no {what}. Leave it out, or use a virtual machine."


def console(uuid: str) -> Sequence[str]:
    return ["lxc-console", "--lxcpath", CONTAINERS, "--name", uuid, "--tty", "0"]


def console_log(uuid: str, last: int, *, lines: bool = False, follow: bool = False) -> Sequence[str]:
    how = [*(["-F"] if follow else []), "-n" if lines else "-c"]
    return ["tail", *how, str(last), f"{_INSTANCES}/{uuid}/console.log"]


DRIVER = HypervisorDriver(
    name=NAME,
    help="System containers by LXC, unprivileged.",
    scope=DriverScope.HOST,
    capabilities={
        "adjust": yes(Proven.LAB, "interfaces, CPUs and memory"),
        "grow": yes(Proven.NOT_HERE),
        "copy": no(_cannot("volumes, so no copies of volumes in use")),
        "agent": no(_cannot("guest agent; wait for `address`, `ssh` or `http`")),
        "console": yes(Proven.LAB, "Ctrl-a q closes it"),
        "graphics": no(_cannot("graphical console")),
        "uefi": no(_cannot("firmware")),
        "secure_boot": no(_cannot("firmware")),
        "tpm": no(_cannot("TPM")),
        "watchdog": no(_cannot("watchdog")),
        "cdrom": no(_cannot("CD drive")),
        "network_boot": no(_cannot("boot from a network")),
        "cpu": no(_cannot("CPU models: they have the processor of their host")),
        "topology": no(_cannot("CPU topology")),
        "hugepages": no(_cannot("memory in huge pages")),
        "devices": no(_cannot("devices of the host")),
        "pause": yes(Proven.LAB),
        "suspend": no(_cannot("memory that is kept while they are off")),
        "migrate": no(
            "A container shares its host's kernel, and cannot move while it runs. Stop it (`state: stopped`), move it, "
            "and start it there."
        ),
        "disk_images": no(
            "A container has a root file system. Use an image of format tar or squashfs, or `hypervisor: kvm`."
        ),
        "rootfs": yes(Proven.LAB, "tar and squashfs"),
        "volumes": no(
            "A container takes no volumes: the kernel of its host would mount a file system that a guest may have "
            "forged. Use a virtual machine, or a larger root disk."
        ),
        "extra_disks": no(_cannot("swap and ephemeral disks")),
        "bandwidth": no(_cannot("limits of bandwidth")),
        "ignition": no(_cannot("Ignition, which sets up disks and boots a kernel")),
        "disk_limits": no(_cannot("limits of their root disk's speed")),
    },
    runs={NAME: "host-passthrough"},
    slow=frozenset(),
    programs={NAME: (5, 0)},
    console=console,
    console_log=console_log,
    by_name=True,
    root_format="raw",
)
