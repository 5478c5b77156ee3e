# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The arguments of stead.cloud.snapshot. Made by scripts/generate; do not edit."""

from __future__ import annotations

from typing import Any, Dict

OPTIONS: Dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "project": {"type": "str", "required": True},
    "volume": {"type": "str"},
    "instance": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "freeze": {"type": "bool", "default": False},
}

# Of the whole, what a want has in the same words: as it is, as a size, or part by part.
PASSED: Dict[str, Any] = {
    "freeze": "",
}
