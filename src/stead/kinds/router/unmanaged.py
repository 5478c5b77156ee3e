"""A router that is managed no longer, and goes on leading packets: its networks stay, and its addresses are its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stead.core.address import Address, parse
from stead.core.kind import Contribution, Retained, Unmanaged
from stead.kinds.router.needs import UPLINK
from stead.kinds.router.uplink import number_of
from stead.kinds.shared import subnets
from stead.language.desired import Desired


def retained(unmanaged: Unmanaged, desired: Desired) -> Retained:
    return Retained(tuple(_contributions(unmanaged)), tuple(_taken(unmanaged, desired)), {"services": 1})


def _interfaces(fields: Mapping[str, Any]) -> Iterator[tuple[Address, Mapping[str, Any]]]:
    """Each with its network."""
    for one in (*fields["interfaces"].values(), *([fields["external"]] if fields["external"] else ())):
        network = parse(one["network"])
        if network is not None:
            yield network, one


def _bare(interface: Mapping[str, Any]) -> list[str]:
    return [sized.partition("/")[0] for sized in interface["addresses"]]


def _contributions(unmanaged: Unmanaged) -> Iterator[Contribution]:
    """What `contribute` says of one that is managed."""
    address, host, fields = unmanaged
    inner = tuple(network for text in fields["interfaces"] if (network := parse(text)) is not None)
    for network, one in _interfaces(fields):
        fact = {
            "addresses": [] if fields.get("ha") else _bare(one),
            "host": host,
            "mac": one["mac"],
            "router": str(address),
            "siblings": inner if network in inner else (),
        }
        yield Contribution(network, "interface", fact)


def _taken(unmanaged: Unmanaged, desired: Desired) -> Iterator[tuple[str, str]]:
    if unmanaged.fields.get("uplink"):
        yield UPLINK.space, number_of(unmanaged.fields["uplink"])
    for network, one in _interfaces(unmanaged.fields):
        yield "mac", one["mac"]
        yield from subnets.held(network, _bare(one), desired)
