# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The arguments of stead.cloud.network. Made by scripts/generate; do not edit."""

from __future__ import annotations

from typing import Any, Dict

OPTIONS: Dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "project": {"type": "str", "default": ""},
    "type": {"type": "str", "choices": ["vxlan", "vlan", "flat"], "default": "vxlan"},
    "device": {"type": "str"},
    "host": {"type": "str", "default": ""},
    "peers": {
        "type": "dict",
        "default": {},
    },
    "ports": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "mac": {"type": "str", "required": True},
            "addresses": {"type": "list", "elements": "str", "required": True},
            "host": {"type": "str", "required": True},
            "name": {"type": "str", "required": True},
        },
    },
    "subnets": {
        "type": "dict",
        "default": {},
    },
    "service": {
        "type": "dict",
        "options": {
            "addresses": {"type": "list", "elements": "str", "required": True},
            "domain": {"type": "str", "required": True},
        },
    },
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "driver": {"type": "str", "default": "linuxbridge"},
    "vlan": {"type": "int"},
    "vni": {"type": "int"},
    "mtu": {"type": "int", "default": 1450},
}

# Of the whole, what a want has in the same words: as it is, as a size, or part by part.
PASSED: Dict[str, Any] = {
    "driver": "",
    "vlan": "",
    "vni": "",
    "mtu": "",
}
