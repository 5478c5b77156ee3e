"""Virtual machines by QEMU, through libvirt.

One driver with two accelerations, which specs and inventories have always called two hypervisors: `kvm`, and `qemu` for
emulation. A definition differs in one word, and all code is the same, so two drivers would be one table written twice.
"""

from __future__ import annotations

from collections.abc import Sequence

from stead.core.driver import DriverScope, Proven, no, yes
from stead.drivers.hypervisor import HypervisorDriver


def console(uuid: str) -> Sequence[str]:
    return ["virsh", "--connect", "qemu:///system", "console", uuid]


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
        "migrate": no(
            "This version moves no running instance to another host. Write `host:` with the host where it is, or make "
            "it anew on the other one with `--replace`: what is on volumes in served pools stays."
        ),
    },
    runs={"kvm": "host-model", "qemu": "maximum"},
    slow=frozenset({"qemu"}),
    programs={"libvirt": (7, 0), "qemu": (6, 0)},
    console=console,
)
