"""The real guest: a Debian 12 with the real cloud-init, as Debian's cloud images are, made of the lab's packages.

Unlike theirs it looks for a seed only where Stead puts one, and does not update itself: a test's guest should be idle.
"""

from __future__ import annotations

from pathlib import Path

from stead.lab.base import MIRROR, RELEASE, SECURITY, Base
from stead.lab.codes import IMAGE_FAILED
from stead.lab.commands import run
from stead.lab.image.disk import make_disk

INPUTS: tuple[str, ...] = ("debian.py",)
ENDING = "qcow2"
SIZE = 3 * 2**30
INSTALL = (
    *("linux-image-cloud-amd64", "initramfs-tools", "zstd", "udev", "e2fsprogs", "cloud-init", "cloud-guest-utils"),
    *("netplan.io", "systemd-resolved", "qemu-guest-agent"),
)
ROOM = (
    *("--register=no", "--keep-unit", "--quiet", "--resolv-conf=off", "--as-pid2", "--console=pipe"),
    "--setenv=DEBIAN_FRONTEND=noninteractive",
)
# Mitigations guard real processors: an emulated one has nothing to leak, and flushes its TLB at each system call.
# On a busy machine an emulated timer is late, and the kernel that tests it panics: no_timer_check.
EXTLINUX = """DEFAULT debian
PROMPT 0
LABEL debian
  KERNEL /vmlinuz
  INITRD /initrd.img
  APPEND root=LABEL=stead-root ro console=tty0 console=ttyS0,115200 net.ifnames=0 mitigations=off no_timer_check quiet
"""
# One kind of host key: making an RSA key takes an emulated processor five seconds.
CLOUD = """datasource_list: [NoCloud, ConfigDrive, None]
locale: false
ssh_genkeytypes: [ed25519]
"""
TEXTS = {
    "etc/fstab": "LABEL=stead-root / ext4 errors=remount-ro 0 1\n",
    "etc/hostname": "debian\n",
    "etc/machine-id": "uninitialized\n",  # systemd makes one at the first boot of each copy
    "etc/apt/sources.list": f"deb {MIRROR} {RELEASE} main\ndeb {SECURITY} {RELEASE}-security main\n",
    "etc/cloud/cloud.cfg.d/90_stead.cfg": CLOUD,
    "boot/extlinux/extlinux.conf": EXTLINUX,
}
# The lab's own ways with packages, its index of them, and keys that each copy must make for itself.
LEFTOVERS = (
    *("etc/apt/apt.conf.d/90lab", "etc/dpkg/dpkg.cfg.d/lab", "var/cache/apt/*.bin", "var/lib/apt/lists/*_*"),
    "etc/ssh/ssh_host_*",
)


def make(base: Base, work: Path) -> Path:
    return make_disk(base, tree(base, work), SIZE, work)


def tree(base: Base, work: Path) -> Path:
    root = work / "root"
    run(["cp", "--archive", base.bare, root], code=IMAGE_FAILED)
    in_guest(base, root, ["apt-get", "--quiet", "--yes", "install", *INSTALL])
    for pattern in LEFTOVERS:
        for left in root.glob(pattern):
            left.unlink()
    for name, text in TEXTS.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def in_guest(base: Base, root: Path, argv: list[str]) -> None:
    room = ["systemd-nspawn", *ROOM, f"--directory={root}", f"--bind-ro={base.packages}:/opt/lab-packages", "--"]
    run([*room, *argv], code=IMAGE_FAILED)
