# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The arguments of stead.cloud.volume. Made by scripts/generate; do not edit."""

from __future__ import annotations

from typing import Any, Dict

OPTIONS: Dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "project": {"type": "str", "required": True},
    "image": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "pool": {"type": "str", "default": "default"},
    "type": {"type": "str", "choices": ["dir", "iscsi", "lvm", "lvm-thin", "nfs", "rbd"], "default": "dir"},
    "path": {"type": "path"},
    "server": {"type": "str"},
    "size": {"type": "str"},
    "format": {"type": "str", "choices": ["qcow2", "raw"]},
    "qos": {
        "type": "dict",
        "options": {
            "iops": {"type": "int"},
            "read_iops": {"type": "int"},
            "write_iops": {"type": "int"},
            "throughput": {"type": "str"},
            "read_throughput": {"type": "str"},
            "write_throughput": {"type": "str"},
        },
    },
}

# Of the whole, what a want has in the same words: as it is, as a size, or part by part.
PASSED: Dict[str, Any] = {
    "size": "size",
    "format": "",
    "qos": {
        "iops": "",
        "read_iops": "",
        "write_iops": "",
        "throughput": "size",
        "read_throughput": "size",
        "write_throughput": "size",
    },
}
