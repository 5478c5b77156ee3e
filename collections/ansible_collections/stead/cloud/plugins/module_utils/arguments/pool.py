# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The arguments of stead.cloud.pool. Made by scripts/generate; do not edit."""

from __future__ import annotations

from typing import Any, Dict

OPTIONS: Dict[str, Any] = {
    "pool": {"type": "str", "aliases": ["name"], "default": "default"},
    "type": {"type": "str", "choices": ["dir", "iscsi", "lvm", "lvm-thin", "nfs", "rbd"], "default": "dir"},
    "path": {"type": "path"},
    "server": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
