# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The arguments of stead.cloud.image. Made by scripts/generate; do not edit."""

from __future__ import annotations

from typing import Any, Dict

OPTIONS: Dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "source": {"type": "str"},
    "checksum": {"type": "str"},
    "format": {
        "type": "str",
        "choices": ["qcow2", "raw", "vmdk", "vdi", "vhd", "vhdx", "iso", "tar", "squashfs"],
        "default": "qcow2",
    },
    "compression": {"type": "str", "choices": ["none", "gz", "xz", "bz2", "zst"], "default": "none"},
    "size": {"type": "str"},
}

# Of the whole, what a want has in the same words: as it is, as a size, or part by part.
PASSED: Dict[str, Any] = {
    "source": "",
    "checksum": "",
    "format": "",
    "compression": "",
    "size": "size",
}
