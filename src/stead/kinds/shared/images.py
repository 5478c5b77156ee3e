"""An image as others see it: which one it is, and what it holds."""

from __future__ import annotations

from typing import Any

from stead.core.address import Address
from stead.core.kind import World

_FORMATS = {
    ".qcow2": "qcow2",
    ".img": "qcow2",  # what distributions call their cloud images, qcow2 inside
    ".raw": "raw",
    ".vmdk": "vmdk",
    ".vdi": "vdi",
    ".vhd": "vhd",
    ".vhdx": "vhdx",
    ".iso": "iso",
    ".tar": "tar",
    ".squashfs": "squashfs",
}
# Of a root file system, with no disk and no kernel around it.
_ROOTFS = frozenset({"tar", "squashfs"})
_COMPRESSIONS = {".gz": "gz", ".xz": "xz", ".bz2": "bz2", ".zst": "zst"}


def forms(source: str, format_: str | None, compression: str | None) -> tuple[str, str]:
    """Format and compression, from the name where nobody says."""
    path = source.partition("?")[0].lower()
    ending = next((one for one in _COMPRESSIONS if path.endswith(one)), "")
    compression = compression or (_COMPRESSIONS[ending] if ending else "none")
    stem = path.removesuffix(ending)
    return format_ or next((name for end, name in _FORMATS.items() if stem.endswith(end)), "qcow2"), compression


def is_rootfs(model: Any) -> bool:
    return forms(model.source, model.format, model.compression)[0] in _ROOTFS


def reference(address: Address, world: World) -> dict[str, Any]:
    """What a disk made from an image remembers of it. The content is what counts, not where it was fetched from."""
    block = world.desired.get(address)
    model = block.model if block is not None else None
    content = ((model.checksum or "").lower() or model.source) if model is not None else ""
    found = {"address": str(address), "content": content, "uuid": world.member(address).leases["uuid"]}
    return found | ({"rootfs": True} if model is not None and is_rootfs(model) else {})
