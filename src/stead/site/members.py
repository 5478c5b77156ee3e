"""The instances of the recorded state as the next playbook wants them: names, groups, facts, and a way to reach each.

It reads values and knows no Ansible: the inventory plugin of the collection hands on what is said here.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from stead.core.address import Address, order, parse
from stead.core.recorded import Record
from stead.core.value import value
from stead.kinds import kinds
from stead.site.inventory import Inventory
from stead.site.ssh import ssh

RELAY = "/usr/lib/stead/relay"
SSH = 22
# In a network of these types an instance is among the machines of the site, and needs no way in.
PLAIN = frozenset({"flat", "vlan"})


@value
class InventoryMember:
    """One instance. `way` is SSH's ProxyCommand, empty where none is needed, or none is known to an isolated one."""

    name: str
    facts: Mapping[str, Any]
    groups: tuple[str, ...]
    address: str
    way: str = ""
    isolated: bool = False


def members(resources: Mapping[Address, Record], hosts: Inventory | None) -> Iterator[InventoryMember]:
    """Sorted as people count. Without `hosts` nothing is known of zones and of ways into isolated networks."""
    floating = dict(_floating(resources))
    for address in sorted((one for one in resources if one.kind in kinds() and kinds()[one.kind].guest), key=order):
        record = resources[address]
        want = record.wants[record.host].fields() if record.host in record.wants else {}
        if want:
            yield _member(record, want, floating.get(str(address), ""), resources, hosts)


def _floating(resources: Mapping[Address, Record]) -> Iterator[tuple[str, str]]:
    for address, record in resources.items():
        if address.kind == "floating_ips":
            for want in record.wants.values():
                fields = want.fields()
                if fields.get("instance"):
                    yield str(fields["instance"]), record.leases.get("address", "")


def _member(
    record: Record, want: Mapping[str, Any], floating: str, resources: Mapping[Address, Record], hosts: Inventory | None
) -> InventoryMember:
    address = record.address
    nics = sorted(want.get("nics", {}).items(), key=lambda item: item[1].get("position", 0))
    addresses = {name: want.get("ports", {}).get(name, {}).get("addresses", []) for name, _nic in nics}
    own, way, isolated = floating, "", False
    if not floating:
        own, way, isolated = _way(record.host, nics, addresses, resources, hosts)
    flavor = next((one.name for one in record.after if one.kind == "flavors"), "")
    image = parse(str(want.get("image", {}).get("address", "")))
    host = hosts.hosts.get(record.host) if hosts is not None else None
    facts: dict[str, Any] = {
        "address": str(address),
        "uuid": record.leases.get("uuid", ""),
        "project": address.project,
        "host": record.host,
        "zone": host.zone if host is not None else "",
        "hostname": want.get("hostname", ""),
        "state": want.get("state", "running"),
        "image": image.name if image is not None else "",
        "flavor": flavor,
        "networks": [_named(nic["network"]) for _name, nic in nics],
        "addresses": addresses,
        "floating_ip": floating,
        "labels": want.get("labels", {}),
        "properties": want.get("properties", {}),
    }
    name, groups = str(want["name"]), tuple(_groups(facts))
    return InventoryMember(name=name, facts=facts, groups=groups, address=own, way=way, isolated=isolated)


def _named(network: str) -> str:
    """Of the instance's own project or the site: a name says which."""
    found = parse(network)
    return found.name if found is not None else network


def _groups(facts: Mapping[str, Any]) -> Iterator[str]:
    for what in ("project", "image", "flavor", "zone"):
        if facts[what]:
            yield f"{what}_{facts[what]}"
    yield from (f"network_{name}" for name in facts["networks"])
    yield from (f"label_{name}_{text}" if text else f"label_{name}" for name, text in facts["labels"].items())


def _way(
    home: str,
    nics: list[tuple[str, Mapping[str, Any]]],
    addresses: Mapping[str, list[str]],
    resources: Mapping[Address, Record],
    hosts: Inventory | None,
) -> tuple[str, str, bool]:
    """An address among the machines of the site before any other; else one with a way in."""
    inside = ("", "", False)
    for name, nic in nics:
        network = parse(nic["network"])
        record = resources.get(network) if network is not None else None
        for address in addresses[name][:1]:
            if record is None or _type(record) in PLAIN:
                return address, "", False
            inside = inside if inside[0] else (address, _relayed(record, home, address, hosts), True)
    return inside


def _type(record: Record) -> str:
    return next((str(want.fields().get("type", "")) for want in record.wants.values()), "")


def _relayed(network: Record, home: str, address: str, hosts: Inventory | None) -> str:
    """Through the network's host, where its namespace is; of one that no host keeps, each guest's own has one."""
    home = network.host or home
    if hosts is None or home not in hosts.connections:
        return ""
    command = [RELAY, network.leases.get("uuid", ""), address, str(SSH)]
    words = ssh(home, hosts.connections[home], command)
    return shlex.join(words).replace("%", "%%")
