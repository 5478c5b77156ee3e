"""A load balancer that is managed no longer, and goes on answering at its own addresses: its network stays."""

from __future__ import annotations

from stead.core.address import parse
from stead.core.kind import Contribution, Retained, Unmanaged
from stead.kinds.shared import subnets
from stead.language.desired import Desired


def retained(unmanaged: Unmanaged, desired: Desired) -> Retained:
    _address, host, fields = unmanaged
    network = parse(fields["network"])
    if network is None:
        return Retained()
    one = fields["interfaces"]["inside"]
    own, known = _bare(one["own"]), _bare(one["addresses"])
    fact = {"addresses": own if fields.get("ha") else known, "host": host, "mac": one["mac"], "siblings": ()}
    taken = [("mac", one["mac"]), *subnets.held(network, [*known, *own], desired)]
    return Retained((Contribution(network, "interface", fact),), tuple(taken), {"services": 1})


def _bare(sized: list[str]) -> list[str]:
    return [one.partition("/")[0] for one in sized]
