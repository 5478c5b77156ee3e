# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The arguments of stead.cloud.subnet_dhcp. Made by scripts/generate; do not edit."""

from __future__ import annotations

from typing import Any, Dict

OPTIONS: Dict[str, Any] = {
    "network": {"type": "str", "required": True},
    "project": {"type": "str", "default": ""},
    "subnet": {"type": "str", "default": "v4"},
    "cidr": {"type": "str"},
    "address": {"type": "str"},
    "gateway": {"type": "str"},
    "dns": {"type": "list", "elements": "str", "default": []},
    "routes": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "to": {"type": "str", "required": True},
            "via": {"type": "str", "required": True},
        },
    },
    "domain": {"type": "str", "default": "stead.internal"},
    "leases": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "mac": {"type": "str", "required": True},
            "addresses": {"type": "list", "elements": "str", "required": True},
            "name": {"type": "str", "required": True},
        },
    },
    "host": {"type": "str", "default": ""},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
