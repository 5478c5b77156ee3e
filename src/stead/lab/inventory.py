"""The lab as a standard Ansible inventory. Pure: text in, text out; Ansible and Stead read it like any site's."""

from __future__ import annotations

from typing import Any

from stead.lab.layout import LabHost, LabLayout
from stead.lab.paths import Rooms
from stead.lab.sizes import ROLES


def inventory(layout: LabLayout, rooms: Rooms) -> dict[str, Any]:
    groups: dict[str, Any] = {
        role: {"hosts": {host.name: None for host in layout.hosts if role in host.roles}} for role in ROLES
    }
    return {
        "all": {
            "vars": {
                "ansible_user": "root",
                "ansible_python_interpreter": "/usr/bin/python3",
                "ansible_ssh_private_key_file": str(rooms.key),
                "ansible_ssh_common_args": " ".join(ssh_options(rooms)),
                "stead_lab": layout.name,
            },
            "hosts": {host.name: host_vars(layout, host, rooms) for host in layout.hosts},
            "children": groups,
        }
    }


def host_vars(layout: LabLayout, host: LabHost, rooms: Rooms) -> dict[str, Any]:
    found: dict[str, Any] = {
        "ansible_host": host.address,
        "stead_underlay_address": host.address,
        "stead_underlay_interface": host.links[0].device,
        "stead_underlay_mtu": layout.mtu,
        "stead_physical_networks": {link.network: link.device for link in host.links[1:]},
        "stead_fence": {"agent": str(rooms.fence_agent), "plug": host.name},
    }
    optional = {
        "stead_zone": host.zone,
        "stead_vcpus": host.cpus,
        "stead_memory": f"{host.memory // 2**20}MiB" if host.memory else None,
        "stead_pools": host.pools,
    }
    return {**found, **{key: value for key, value in optional.items() if value is not None}, **host.variables}


def ssh_options(rooms: Rooms) -> list[str]:
    """Options for every ssh to the lab; paths hold no spaces (`places.checked`), as Ansible splits them at those."""
    return [
        "-o BatchMode=yes",
        "-o StrictHostKeyChecking=yes",
        f"-o UserKnownHostsFile={rooms.known_hosts}",
        "-o GlobalKnownHostsFile=/dev/null",
        "-o IdentitiesOnly=yes",
        "-o ConnectTimeout=10",
        "-o ControlMaster=auto",
        "-o ControlPersist=60s",
        f"-o ControlPath={rooms.sockets}/%C",
        "-F /dev/null",
    ]


def to_yaml(layout: LabLayout, rooms: Rooms) -> str:
    import yaml

    return yaml.safe_dump(inventory(layout, rooms), sort_keys=False, default_flow_style=False)
