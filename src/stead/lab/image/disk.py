"""Makes a bootable qcow2 of a directory: one ext4 partition, extlinux to start the kernel in it.

extlinux and not GRUB: it installs without a device to probe, and starts in half a second under emulation. BIOS only,
which is what QEMU's machines begin with.
"""

from __future__ import annotations

import struct
from pathlib import Path

from stead.lab.base import Base
from stead.lab.codes import IMAGE_FAILED, refuse
from stead.lab.commands import run

SECTOR = 512
START = 2048  # sectors: a mebibyte, as every partitioner leaves
# extlinux reads neither of these two; growing up to 1 TiB needs room for that many descriptors, counted in blocks
FEATURES = ("-O", "^64bit,^metadata_csum", "-E", f"offset={START * SECTOR},resize={2**40 // 4096}")
PRIVATE = ("unshare", "--mount", "--propagation=private", "sh", "-c")
FIXED_ID = "5a3c1b1e-6f0e-4c55-9d0a-0c7b1a2f5d11"
# $1 disk, $2 mount point, $3 extlinux. The mount is the command's own and goes with it.
INSTALL = f'mount -o loop,offset={START * SECTOR} "$1" "$2" && "$3" --install "$2/boot/extlinux"'
# $1 lower directories, $2 mount point, $3 directory to work in: the stocked hosts' qemu-img, so the machine needs none.
CONVERT = (
    'mount -t overlay stead-lab-image -o "lowerdir=$1" "$2" && mount --bind "$3" "$2/mnt"'
    ' && exec chroot "$2" qemu-img convert -c -O qcow2 -o compression_type=zstd /mnt/disk.raw /mnt/disk.qcow2'
)


def make_disk(base: Base, tree: Path, size: int, work: Path) -> Path:
    raw = work / "disk.raw"
    with raw.open("wb") as disk:
        disk.truncate(size)
    blocks = (size - START * SECTOR) // 4096
    label = ("-L", "stead-root", "-U", FIXED_ID)
    run(["mke2fs", "-q", "-t", "ext4", "-b", "4096", "-m", "0", *label, *FEATURES, "-d", tree, raw, str(blocks)])
    loader = unpack(base, ("extlinux",), work / "extlinux")
    mounted = work / "mounted"
    mounted.mkdir()
    run([*PRIVATE, INSTALL, "install", raw, mounted, loader / "usr/bin/extlinux"], code=IMAGE_FAILED)
    write_mbr(raw, (loader / "usr/lib/EXTLINUX/mbr.bin").read_bytes(), size)
    lower = ":".join(map(str, base.layers("stocked")))
    run([*PRIVATE, CONVERT, "convert", lower, mounted, work], code=IMAGE_FAILED)
    return work / "disk.qcow2"


def write_mbr(raw: Path, code: bytes, size: int) -> None:
    """One active Linux partition to the disk's end; the guest makes it longer when its disk is."""
    # CHS addresses are long meaningless: the largest ones say "look at the sector numbers"
    entry = struct.pack("<B3sB3sII", 0x80, b"\xfe\xff\xff", 0x83, b"\xfe\xff\xff", START, size // SECTOR - START)
    with raw.open("r+b") as disk:
        disk.write(code[:440].ljust(446, b"\0") + entry.ljust(64, b"\0") + b"\x55\xaa")


def unpack(base: Base, names: tuple[str, ...], into: Path) -> Path:
    """The files of packages from the lab's repository."""
    into.mkdir(exist_ok=True)
    for name in names:
        found = sorted(base.packages.glob(f"{name}_*.deb"))
        if not found:
            refuse(IMAGE_FAILED, f"Package {name} is not in {base.packages}; it should be in lab/packages/guest.txt.")
        run(["dpkg-deb", "--extract", found[-1], into], code=IMAGE_FAILED)
    return into
