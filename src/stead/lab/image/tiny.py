"""The tiny guest: Debian's cloud kernel and busybox, with a first-boot program that reads a NoCloud seed.

What it understands of a seed is said in `tiny_files/seed.lua` and docs/lab.md. It is a test's guest: root's console
login has no password; ssh takes keys only.
"""

from __future__ import annotations

import gzip
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from stead.lab.base import Base
from stead.lab.codes import IMAGE_FAILED, refuse
from stead.lab.commands import run
from stead.lab.image.disk import make_disk, unpack

INPUTS: tuple[str, ...] = ("tiny.py", "tiny_files")
ENDING = "qcow2"
SIZE = 64 * 2**20
FILES = Path(__file__).with_name("tiny_files")
PACKAGES = ("busybox-static", "dropbear-bin", "libtomcrypt1", "libtommath1", "lua5.4")
# In the initramfs: what may hold the root disk. What modules depend on is found and added.
DISK_MODULES = ("virtio_pci", "virtio_blk", "virtio_scsi", "ata_piix", "sd_mod")
MODULES = (
    *("virtio_net", "virtio-rng", "virtio_balloon", "isofs", "vfat", "nls_cp437", "nls_ascii", "sr_mod"),
    *("button", "evdev", "qemu_fw_cfg"),
)
PROGRAMS = {
    "usr/sbin/dropbear": "usr/sbin/dropbear",
    "usr/bin/lua5.4": "usr/bin/lua5.4",
    "sbin/resize2fs": "sbin/resize2fs",
    "sbin/mke2fs": "sbin/mkfs.ext4",
    "sbin/blkid": "sbin/blkid",
}
LIBRARIES = (
    *("libc.so.6", "libm.so.6", "libcrypt.so.1", "libz.so.1", "libtomcrypt.so.1", "libtommath.so.1", "libgmp.so.10"),
    *("libreadline.so.8", "libtinfo.so.6", "libext2fs.so.2", "libcom_err.so.2", "libe2p.so.2", "libblkid.so.1"),
    *("libuuid.so.1",),
)
LOADER = "lib64/ld-linux-x86-64.so.2"
LIBRARY_PLACES = ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu")
# Mitigations guard real processors: an emulated one has nothing to leak, and flushes its TLB at each system call.
# On a busy machine an emulated timer is late, and the kernel that tests it panics: no_timer_check.
EXTLINUX = """DEFAULT stead
PROMPT 0
LABEL stead
  KERNEL /boot/vmlinuz
  INITRD /boot/initrd
  APPEND console=tty0 console=ttyS0,115200 net.ifnames=0 random.trust_cpu=on mitigations=off no_timer_check quiet
"""
TEXTS = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\ndebian:x:1000:1000::/home/debian:/bin/sh\n",
    "etc/shadow": "debian:*:19000:0:99999:7:::\n",
    "etc/group": "root:x:0:\ntty:x:5:\ndebian:x:1000:\n",
    "etc/hostname": "stead-tiny\n",
    "etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
    "etc/profile": "export PATH=/bin:/sbin:/usr/bin:/usr/sbin\n",
}
SCRIPTS = {
    "inittab": "etc/inittab",
    "rc": "etc/rc",
    "rc.down": "etc/rc.down",
    "ready": "etc/ready",
    "yaml.lua": "usr/lib/stead/yaml.lua",
    "seed.lua": "usr/lib/stead/seed.lua",
    "apply": "usr/lib/stead/apply",
    "udhcpc": "usr/lib/stead/udhcpc",
    "index.cgi": "srv/http/cgi-bin/index.cgi",
    "power": "etc/acpi/PWRF/00000080",
}
EMPTY = ("dev", "proc", "sys", "run", "tmp", "mnt", "root", "home/debian", "var/lib", "etc/dropbear", "srv/http")


def make(base: Base, work: Path) -> Path:
    return make_disk(base, tree(base, work), SIZE, work)


def tree(base: Base, work: Path) -> Path:
    """The directory that becomes the guest's disk."""
    parts = unpack(base, PACKAGES, work / "parts")
    kernel = unpack(base, ("linux-image-[0-9]*-cloud-amd64",), work / "kernel")
    root = add_system(base, parts, work / "root")
    put(root / "boot/extlinux/extlinux.conf", EXTLINUX.encode())
    add_modules(parts, kernel, root, MODULES, loaded=DISK_MODULES)
    shutil.copy(next(kernel.glob("boot/vmlinuz-*")), root / "boot/vmlinuz")
    (root / "boot/initrd").write_bytes(initramfs(parts, kernel, work / "initramfs"))
    return root


def add_system(base: Base, parts: Path, root: Path) -> Path:
    """All but the kernel and what starts it."""
    for name in EMPTY:
        (root / name).mkdir(parents=True)
    for name, text in TEXTS.items():
        put(root / name, text.encode())
    for name, target in SCRIPTS.items():
        put(root / target, (FILES / name).read_bytes(), mode=0o755)
    (root / "etc/shadow").write_text("root::19000:0:99999:7:::\n" + TEXTS["etc/shadow"], encoding="utf-8")
    (root / "etc/shadow").chmod(0o600)
    (root / "tmp").chmod(0o1777)
    (root / "root").chmod(0o700)
    shutil.chown(root / "home/debian", 1000, 1000)
    add_programs(base, parts, root)
    return root


def put(path: Path, content: bytes, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)


def add_programs(base: Base, parts: Path, root: Path) -> None:
    put(root / "bin/busybox", (parts / "bin/busybox").read_bytes(), mode=0o755)
    for applet in run([parts / "bin/busybox", "--list"], code=IMAGE_FAILED).split():
        if applet != "busybox":
            (root / "bin" / applet).symlink_to("busybox")
    for program, target in PROGRAMS.items():
        put(root / target, find(base, parts, (program,)).read_bytes(), mode=0o755)
    (root / "sbin/init").symlink_to("../bin/busybox")
    for name in LIBRARIES:
        source = find(base, parts, tuple(f"{place}/{name}" for place in LIBRARY_PLACES))
        put(root / "lib/x86_64-linux-gnu" / name, source.read_bytes(), mode=0o755)
    put(root / LOADER, find(base, parts, (LOADER,)).read_bytes(), mode=0o755)


def find(base: Base, parts: Path, names: tuple[str, ...]) -> Path:
    """A file of the packages unpacked for the image, or of the bare tree, which has what every Debian has."""
    found = next((top / name for top in (parts, base.bare) for name in names if (top / name).exists()), None)
    if found is None:
        refuse(IMAGE_FAILED, f"{names[0]} is neither in the image's packages nor in {base.bare}.")
    return found


def add_modules(parts: Path, kernel: Path, root: Path, names: tuple[str, ...], loaded: tuple[str, ...] = ()) -> None:
    """Modules with all they depend on, less what the initramfs has loaded, and the index modprobe finds them by."""
    top = next(kernel.glob("lib/modules/*"))
    busybox = parts / "bin/busybox"
    run([busybox, "depmod", "-b", kernel, top.name], code=IMAGE_FAILED)
    needs = read_dependencies(top)
    for path in files_of(names, needs) - files_of(loaded, needs):
        put(root / "lib/modules" / top.name / path, (top / path).read_bytes())
    run([busybox, "depmod", "-b", root, top.name], code=IMAGE_FAILED)


def files_of(names: tuple[str, ...], needs: Mapping[str, tuple[str, ...]]) -> set[str]:
    for name in names:
        if normal(name) not in needs:
            refuse(IMAGE_FAILED, f"The kernel of the guest has no module {name}.")
    return {path for name in names for path in needs[normal(name)]}


def normal(name: str) -> str:
    return name.replace("-", "_")


def read_dependencies(top: Path) -> dict[str, tuple[str, ...]]:
    """Module name -> its file and the files of all modules it needs, as depmod found."""
    found = {}
    for line in (top / "modules.dep").read_text(encoding="utf-8").splitlines():
        path, _, rest = line.partition(":")
        found[normal(Path(path).stem)] = (path, *rest.split())
    return found


def initramfs(parts: Path, kernel: Path, root: Path) -> bytes:
    for name in ("bin", "dev", "proc", "sys", "root"):
        (root / name).mkdir(parents=True)
    put(root / "bin/busybox", (parts / "bin/busybox").read_bytes(), mode=0o755)
    put(root / "init", (FILES / "init").read_bytes(), mode=0o755)
    add_modules(parts, kernel, root, DISK_MODULES)
    names = "\n".join(sorted(str(path.relative_to(root)) for path in root.rglob("*"))) + "\n"
    packed = subprocess.run(
        ["cpio", "--create", "--format=newc", "--quiet", "--reproducible", "--owner=0:0"],
        input=names.encode(),
        capture_output=True,
        check=False,
        cwd=root,
    )
    if packed.returncode != 0:
        refuse(IMAGE_FAILED, f"cpio: {packed.stderr.decode(errors='replace')}")
    return gzip.compress(packed.stdout, 6, mtime=0)
