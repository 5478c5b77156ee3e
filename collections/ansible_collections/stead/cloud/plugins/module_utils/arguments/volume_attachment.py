# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The arguments of stead.cloud.volume_attachment. Made by scripts/generate; do not edit."""

from __future__ import annotations

from typing import Any, Dict

OPTIONS: Dict[str, Any] = {
    "project": {"type": "str", "required": True},
    "instance": {"type": "str", "required": True},
    "volume": {"type": "str", "required": True},
    "mode": {"type": "str", "choices": ["rw", "ro"], "default": "rw"},
    "device": {"type": "str"},
    "size": {"type": "str"},
    "account": {"type": "str", "no_log": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "pool": {"type": "str", "default": "default"},
    "type": {"type": "str", "choices": ["dir", "iscsi", "lvm", "lvm-thin", "nfs", "rbd"], "default": "dir"},
    "path": {"type": "path"},
    "server": {"type": "str"},
}
