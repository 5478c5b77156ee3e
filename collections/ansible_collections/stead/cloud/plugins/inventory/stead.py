# Copyright: Stead contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Instances as hosts for the next playbook. What they are, and how each is reached, is said by Stead."""

from __future__ import annotations

DOCUMENTATION = r"""
name: stead
short_description: Instances of the recorded state as hosts
description:
  - Every instance that C(stead apply) has made is a host, so that the next playbook sets up what was just created.
  - Groups are V(project_NAME), V(image_NAME), V(flavor_NAME), V(network_NAME), V(zone_NAME) and V(label_NAME_VALUE).
    What may not stand in the name of a group is an underscore there. All hosts are in the group V(stead).
  - An instance is reached at its floating IP, or at its address in a flat or vlan network. One in an isolated network
    is reached through the host of that network (SSH with a ProxyCommand), where its security groups let SSH in.
  - Each host has the variables V(stead_address), V(stead_uuid), V(stead_project), V(stead_host), V(stead_zone),
    V(stead_hostname), V(stead_state), V(stead_image), V(stead_flavor), V(stead_networks), V(stead_addresses),
    V(stead_floating_ip), V(stead_labels) and V(stead_properties).
  - Reads the store, and asks no machine. Stead must be installed where Ansible is.
author:
  - Stead contributors (@stead-cloud)
version_added: 0.1.0
extends_documentation_fragment:
  - constructed
  - inventory_cache
options:
  plugin:
    description: Says that the file is for this plugin. Its name ends in C(stead_inventory.yml).
    required: true
    choices: [stead.cloud.stead]
  directory:
    description: Where the spec, C(.stead) and the inventory of the hosts are. Relative to this file.
    type: str
    default: .
  store:
    description:
      - The store, a file or V(postgresql://…), where it is not C(.stead/state.db) of O(directory).
    type: str
    env:
      - name: STEAD_STORE
  hosts:
    description: Inventory of the hosts that Stead applies to. Left out, the one in O(directory).
    type: str
  user:
    description: Who logs in to the instances. Left out, Ansible's own default.
    type: str
  jump:
    description: Whether instances in isolated networks are reached through the host of their network.
    type: bool
    default: true
"""

EXAMPLES = r"""
# stead_inventory.yml, beside the spec
plugin: stead.cloud.stead
user: debian
keyed_groups:
  - key: stead_properties.tier | default('none')
    prefix: tier
compose:
  ansible_python_interpreter: "'/usr/bin/python3'"

# Then: ansible -i stead_inventory.yml project_acme -m ansible.builtin.ping
"""

import shlex
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleParserError
from ansible.inventory.group import to_safe_group_name
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable

ENDINGS = ("stead_inventory.yml", "stead_inventory.yaml")
ALL = "stead"


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    NAME = "stead.cloud.stead"

    def verify_file(self, path: str) -> bool:
        return super().verify_file(path) and path.endswith(ENDINGS)

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        self.load_cache_plugin()
        key = self.get_cache_key(path)
        use = self.get_option("cache")
        try:
            found = self._cache[key] if use and cache else None
        except KeyError:
            found = None
        if found is None:
            found = self._recorded(Path(path).resolve().parent)
            if use:
                self._cache[key] = found
        self.inventory.add_group(ALL)
        for one in found:
            self._add(one)

    def _recorded(self, beside: Path) -> Any:
        """Every instance as plain data, so that a cache may keep it."""
        try:
            from stead.cli.common.workspace import INVENTORIES
            from stead.core.diagnostics import Refused
            from stead.site.inventory import read_inventory
            from stead.site.members import members
            from stead.store import open_store
            from stead.store.sealing import configured_key
        except ImportError as error:
            raise AnsibleParserError(
                "stead.cloud.stead needs the Python package stead beside Ansible: {0}".format(error)
            ) from error
        directory = beside / self.get_option("directory")
        named = self.get_option("hosts")
        sources = (
            [beside / named] if named else [directory / one for one in INVENTORIES if (directory / one).exists()][:1]
        )
        url = self.get_option("store") or ""
        if url and "://" not in url:
            url = str(beside / url)
        try:
            hosts, wrong = read_inventory(sources) if sources else (None, [])
            store = open_store(url, directory=directory / ".stead", key=configured_key())
            resources = store.recorded().resources
        except Refused as refusal:
            raise AnsibleParserError(str(refusal)) from refusal
        if named and not (hosts and hosts.hosts):
            raise AnsibleParserError("; ".join("{0} {1}".format(one.code, one.detail) for one in wrong))
        return [
            {"name": one.name, "facts": dict(one.facts), "groups": list(one.groups), "at": one.address, "way": one.way}
            for one in members(resources, hosts)
        ]

    def _add(self, one: Any) -> None:
        name = one["name"]
        self.inventory.add_host(name, group=ALL)
        for group in one["groups"]:
            self.inventory.add_host(
                name, group=self.inventory.add_group(to_safe_group_name(group, force=True, silent=True))
            )
        variables = {"stead_" + key: value for key, value in one["facts"].items()}
        if one["at"]:
            variables["ansible_host"] = one["at"]
        if self.get_option("user"):
            variables["ansible_user"] = self.get_option("user")
        if one["way"] and self.get_option("jump"):
            variables["ansible_ssh_common_args"] = shlex.join(["-o", "ProxyCommand=" + one["way"]])
        for key, value in variables.items():
            self.inventory.set_variable(name, key, value)
        strict = self.get_option("strict")
        self._set_composite_vars(self.get_option("compose"), variables, name, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, name, strict=strict)
