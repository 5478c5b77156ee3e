"""A floating IP whose ports lead to several instances: through one router, because an address is in one place."""

from __future__ import annotations

from collections.abc import Iterator

from stead.core.address import Address
from stead.core.diagnostics import Code, Diagnostic
from stead.kinds.floating_ip.model import FloatingIp
from stead.kinds.shared import forwards
from stead.kinds.shared.routing import ways
from stead.kinds.shared.subnets import Net
from stead.language.desired import Block, Desired

BOTH = Code("STEAD-N063", "a floating IP leads to one instance, or its ports do")


def router_of(block: Block, desired: Desired) -> Address | None:
    """The router that leads to the most of its instances, the first of several; none where none leads to any."""
    model: FloatingIp = block.model
    routers = {way.router: None for paths in ways(desired).values() for way in paths if way.external == model.network}
    reached = {router: _reached(model, router, desired) for router in sorted(routers)}
    best = max(reached, key=lambda router: reached[router], default=None)
    return best if best is not None and reached[best] else None


def _reached(model: FloatingIp, router: Address, desired: Desired) -> int:
    leads = leads_of(router, desired)
    return sum(forwards.entry(one.to, leads, desired) is not None for one in model.forwards)


def leads_of(router: Address, desired: Desired) -> forwards.Leads:
    known = ways(desired)

    def leads(network: Address, net: Net) -> bool:
        return any(way.router == router and way.reaches(net) for way in known.get(network, ()))

    return leads


def check(block: Block, desired: Desired) -> Iterator[Diagnostic]:
    """Of one with forwards."""
    model: FloatingIp = block.model
    for name in ("instance", "port", "inside"):
        if getattr(model, name) is not None:
            text = f"Its `forwards` say where each port leads. Remove them, or `{name}`."
            yield BOTH.at(block.place(name), text)
    router = router_of(block, desired)
    if router is not None:
        yield from forwards.check(block, model.forwards, leads_of(router, desired), desired)
