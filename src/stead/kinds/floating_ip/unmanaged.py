"""A floating IP that is managed no longer, and goes on leading: its router stays, and its address is its own."""

from __future__ import annotations

from stead.core.address import parse
from stead.core.kind import Contribution, Retained, Unmanaged
from stead.kinds.shared import subnets
from stead.language.desired import Desired


def retained(unmanaged: Unmanaged, desired: Desired) -> Retained:
    address, _, fields = unmanaged
    network, router = parse(fields["network"]), parse((fields.get("router") or {}).get("address", ""))
    taken = subnets.held(network, [fields["address"]], desired) if network is not None else ()
    fact = {"address": fields["address"], "name": str(address)}
    return Retained((Contribution(router, "floating", fact),) if router is not None else (), tuple(taken))
