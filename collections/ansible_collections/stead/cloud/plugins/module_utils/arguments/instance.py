# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The arguments of stead.cloud.instance. Made by scripts/generate; do not edit."""

from __future__ import annotations

from typing import Any, Dict

OPTIONS: Dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "project": {"type": "str", "required": True},
    "image": {"type": "str"},
    "disk": {"type": "str", "default": "10GiB"},
    "networks": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "network": {"type": "str", "required": True},
            "mac": {"type": "str", "required": True},
            "address": {"type": "str"},
            "mtu": {"type": "int", "default": 1450},
            "subnets": {"type": "list", "elements": "str"},
            "model": {"type": "str", "choices": ["virtio", "e1000e", "e1000", "rtl8139"], "default": "virtio"},
            "bandwidth": {"type": "int"},
        },
    },
    "volumes": {"type": "list", "elements": "str"},
    "hypervisor": {"type": "str", "choices": ["kvm", "qemu"], "default": "kvm"},
    "user_data": {"type": "str", "default": ""},
    "keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
    "restart": {"type": "bool", "default": False},
    "wait": {
        "type": "dict",
        "options": {
            "source": {"type": "str"},
            "for": {"type": "str", "choices": ["address", "ssh", "http", "agent", "cloud-init"], "required": True},
            "timeout": {"type": "int", "default": 300},
            "port": {"type": "int"},
            "path": {"type": "str"},
            "status": {"type": "int"},
        },
    },
    "state": {
        "type": "str",
        "choices": ["running", "stopped", "paused", "suspended", "absent"],
        "default": "running",
    },
    "hostname": {"type": "str"},
    "autostart": {"type": "bool", "default": True},
    "stop_timeout": {"type": "int", "default": 60},
    "migration": {
        "type": "dict",
        "options": {
            "downtime": {"type": "int"},
            "bandwidth": {"type": "str"},
            "auto_converge": {"type": "bool", "default": False},
            "timeout": {"type": "int"},
        },
    },
    "architecture": {"type": "str", "choices": ["x86_64", "aarch64", "ppc64le", "s390x", "riscv64"]},
    "machine": {"type": "str"},
    "cpu": {"type": "str"},
    "firmware": {"type": "str", "choices": ["bios", "uefi", "uefi-secure"]},
    "boot": {"type": "list", "elements": "str", "choices": ["disk", "cdrom", "network"], "default": ["disk"]},
    "graphics": {"type": "str", "choices": ["vnc", "spice", "none"], "default": "none"},
    "agent": {"type": "bool", "default": True},
    "tpm": {"type": "bool", "default": False},
    "watchdog": {"type": "str", "choices": ["none", "reset", "poweroff", "pause"], "default": "none"},
    "vcpus": {"type": "int", "default": 1},
    "memory": {"type": "str", "default": "1GiB"},
    "max_vcpus": {"type": "int"},
    "max_memory": {"type": "str"},
    "hugepages": {"type": "str", "choices": ["2MiB", "1GiB"]},
    "topology": {
        "type": "dict",
        "options": {
            "sockets": {"type": "int", "default": 1},
            "cores": {"type": "int", "default": 1},
            "threads": {"type": "int", "default": 1},
        },
    },
}

# Of the whole, what a want has in the same words: as it is, as a size, or part by part.
PASSED: Dict[str, Any] = {
    "hostname": "",
    "autostart": "",
    "stop_timeout": "",
    "migration": {"downtime": "", "bandwidth": "size", "auto_converge": "", "timeout": ""},
    "architecture": "",
    "machine": "",
    "cpu": "",
    "firmware": "",
    "boot": "",
    "graphics": "",
    "agent": "",
    "tpm": "",
    "watchdog": "",
    "vcpus": "",
    "memory": "size",
    "max_vcpus": "",
    "max_memory": "size",
    "hugepages": "",
    "topology": {"sockets": "", "cores": "", "threads": ""},
}

# Of networks, what a want has in the same words: as it is, as a size, or part by part.
NETWORKS_PASSED: Dict[str, Any] = {
    "subnets": "",
    "model": "",
    "bandwidth": "",
}

# Of wait, what a want has in the same words: as it is, as a size, or part by part.
WAIT_PASSED: Dict[str, Any] = {
    "for": "",
    "timeout": "",
    "port": "",
    "path": "",
    "status": "",
}
