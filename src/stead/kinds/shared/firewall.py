"""Security rules as hosts apply them: flat, with a set of addresses for every group on the other side.

A group is one thing on a host, not a copy in each interface: a new member then changes a set, and no instance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from stead.core.address import Address, parse
from stead.core.kind import World
from stead.core.want import Want, canonical
from stead.drivers.network import mark_all, named
from stead.kinds.shared.several import as_tuple

GROUPS = "security_groups"
MEMBER = "member"


def default_group(project: str) -> Address:
    """The group of interfaces for which nothing else is said. It exists without being written."""
    return Address(project, GROUPS, "default")


def default_rules(group: Address) -> list[dict[str, Any]]:
    """As Neutron has them: everything may go out, and come in from the same group."""
    return [*open_egress(), {"direction": "in", "protocol": "any", "group": str(group)}]


def open_egress() -> list[dict[str, Any]]:
    return [{"direction": "out", "protocol": "any"}]


def flat(rules: Sequence[Any], direction: str, sides: str) -> Iterator[dict[str, Any]]:
    """One rule for each combination of what was written as a list."""
    for rule in rules:
        base: dict[str, Any] = {"direction": direction, "protocol": rule.protocol}
        for name in ("type", "code", "family"):
            value = getattr(rule, name)
            if value is not None:
                base[name] = value
        ports = [str(one) for one in as_tuple(rule.ports)]
        if ports:
            base["ports"] = sorted(ports, key=lambda text: (int(text.partition("-")[0]), text))
        others = as_tuple(getattr(rule, sides))
        for other in others:
            if other.group is not None:
                yield base | {"group": str(other.group)}
            if other.cidr is not None:
                yield base | {"cidr": other.cidr}
        if not others:
            yield base


def compiled(rules: Sequence[Mapping[str, Any]], world: World) -> dict[str, Any]:
    """Rules in one order whatever order they were written in, since they only ever allow."""
    unique = {canonical(rule): rule for rule in rules}
    groups = sorted({rule["group"] for rule in rules if "group" in rule})
    return {
        "rules": [unique[text] for text in sorted(unique)],
        "sets": {group: _addresses(group, world) for group in groups},
    }


def _addresses(group: str, world: World) -> list[str]:
    told = world.contributions(found, MEMBER) if (found := parse(group)) else ()
    return sorted({address for fact in told for address in fact["addresses"]})


def on_hosts(group: Address, world: World, want: Callable[[Mapping[str, Any]], Want]) -> dict[str, Want]:
    """Where its members are, by each driver of their networks. `want` is given what the want says of its drivers."""
    members: dict[str, set[str]] = {}
    for fact in world.contributions(group, MEMBER):
        members.setdefault(fact["driver"], set()).update(host for host in fact["hosts"] if host)
    drivers: dict[str, tuple[str, ...]] = {}
    for name, hosts in sorted(members.items()):
        for host in named(name).on_hosts(sorted(hosts), world.hosts):
            drivers[host] = (*drivers.get(host, ()), name)
    wants = {some: want(mark_all(some)) for some in set(drivers.values())}
    return {host: wants[drivers[host]] for host in sorted(drivers)}
