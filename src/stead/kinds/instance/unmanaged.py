"""An instance that is managed no longer, and runs all the same: what it needs of others, read from its want."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stead.core.address import Address, parse
from stead.core.kind import Contribution, Retained, Unmanaged
from stead.drivers.network import DEFAULT
from stead.kinds.shared import firewall, subnets
from stead.language.desired import Desired


def retained(unmanaged: Unmanaged, desired: Desired) -> Retained:
    return Retained(tuple(_contributions(unmanaged)), tuple(_taken(unmanaged, desired)), _amounts(unmanaged.fields))


def _nics(unmanaged: Unmanaged) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any], Address]]:
    ports = unmanaged.fields.get("ports") or {}
    for key, nic in (unmanaged.fields.get("nics") or {}).items():
        network = parse(str(nic.get("network", "")))
        if network is not None and key in ports:
            yield nic, ports[key], network


def _contributions(unmanaged: Unmanaged) -> Iterator[Contribution]:
    """What `contribute` says of one that is managed."""
    address, host, fields = unmanaged
    for nic, port, network in _nics(unmanaged):
        fact = {
            "addresses": port["addresses"],
            "host": host,
            "instance": address,
            "mac": port["mac"],
            "name": fields.get("hostname") or address.label,
            "routed": bool(nic.get("routed")),
        }
        yield Contribution(network, "port", fact)
        addresses = [*port["addresses"], *(one["address"] for one in nic.get("allowed", ()))]
        member = {"addresses": addresses, "driver": nic.get("driver", DEFAULT), "hosts": (host,)}
        for text in nic.get("groups", ()):
            if (group := parse(str(text))) is not None:
                yield Contribution(group, firewall.MEMBER, member)
    images = [one["address"] for name in ("image", "cdrom") if (one := fields.get(name))]
    for text in (*images, *(fields.get("volumes") or {})):
        if (used := parse(str(text))) is not None:
            yield Contribution(used, "user", {"hosts": (host,), "user": str(address.block)})


def _taken(unmanaged: Unmanaged, desired: Desired) -> Iterator[tuple[str, str]]:
    for _, port, network in _nics(unmanaged):
        yield "mac", port["mac"]
        yield from subnets.held(network, port["addresses"], desired)


def _amounts(fields: Mapping[str, Any]) -> dict[str, int]:
    amounts = {name: fields[name] for name in ("vcpus", "memory") if isinstance(fields.get(name), int)}
    root = fields.get("root") or {}
    pool, size = root.get("pool") or {}, root.get("size")
    if isinstance(size, int) and pool.get("name") and not pool.get("server"):
        amounts[f"disk:{pool['name']}"] = size
    return amounts
