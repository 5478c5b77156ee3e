"""What a user may write of an image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from stead.core.fields import (
    LINE,
    LINES,
    Example,
    Size,
    Text,
)
from stead.core.value import field, value
from stead.kinds.shared.sizing import MACHINE, TRAIT

DIGEST = Text(
    pattern=r"(sha256:[0-9a-fA-F]{64}|sha512:[0-9a-fA-F]{128})", what="sha256: or sha512: and the digest in hex"
)


@value
class Image:
    source: Annotated[
        str,
        Text(pattern=r".*", what="one line", longest=4096),
        "Where the controller finds it: an absolute path, or an http or https URL",
        Example("https://cloud.debian.org/images/cloud/bookworm/latest/debian-12-genericcloud-amd64.qcow2"),
    ]
    checksum: Annotated[
        str | None,
        DIGEST,
        "Digest of the file as it is fetched; anything else is refused",
        Example("sha256:" + "0" * 64),
    ] = None
    format: Annotated[
        Literal["qcow2", "raw", "vmdk", "vdi", "vhd", "vhdx", "iso", "tar", "squashfs"] | None,
        "Format of the file; left out, its name says. A `tar` or `squashfs` is a root file system, for containers",
    ] = None
    compression: Annotated[
        Literal["none", "gz", "xz", "bz2", "zst"] | None, "How the file is compressed; left out, its name says"
    ] = None
    size: Annotated[
        int | None,
        Size(),
        "Size of the disk in the image, where you know it: smaller root disks are then refused at plan",
        Example("3GiB"),
    ] = None
    min_disk: Annotated[int | None, Size(), "The smallest root disk it works with", Example("10GiB")] = None
    min_memory: Annotated[int | None, Size(), "The least memory it works with", Example("512MiB")] = None
    architecture: Annotated[Literal["x86_64", "aarch64", "ppc64le", "s390x", "riscv64"] | None, "CPU it runs on"] = None
    os: Annotated[
        str | None,
        Text(pattern=r"[a-z0-9][a-z0-9._-]*", what="a short name of an operating system", longest=64),
        "Operating system, as libosinfo names it",
        Example("debian12"),
    ] = None
    user: Annotated[
        str | None,
        Text(pattern=r"[A-Za-z0-9_][A-Za-z0-9_.@-]*\$?", what="a login name", longest=32),
        "Login that its cloud-init makes; expressions read it",
        Example("debian"),
    ] = None
    firmware: Annotated[Literal["bios", "uefi", "uefi-secure"] | None, "Firmware it needs"] = None
    machine: Annotated[str | None, MACHINE, "Machine type it needs", Example("q35")] = None
    disk_bus: Annotated[Literal["virtio", "scsi", "sata", "ide"], "Bus its disks are on"] = "virtio"
    nic_model: Annotated[Literal["virtio", "e1000e", "e1000", "rtl8139"], "Model of its network interfaces"] = "virtio"
    traits: Annotated[tuple[Annotated[str, TRAIT], ...], "Traits that its hosts must have"] = ()
    properties: Annotated[
        Mapping[Annotated[str, LINE], Annotated[str, LINES]], "Anything else worth remembering of it"
    ] = field(default_factory=dict)
    description: Annotated[str, Text(lines=True), "For people"] = ""
