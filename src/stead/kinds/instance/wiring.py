"""What packets meet at the interfaces of an instance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stead.core.wiring import ANYWHERE, PlugWiring, RouteWiring, version, wired_routes


def wired(wants: Sequence[Mapping[str, Any]]) -> Iterator[PlugWiring]:
    want = wants[0]
    off = "" if want["state"] == "running" else f"it is {want['state']}"
    for key, nic in sorted(want["nics"].items(), key=lambda item: item[1]["position"]):
        yield PlugWiring(
            network=nic["network"],
            addresses=want["ports"][key]["addresses"],
            nets=[one["cidr"] for one in nic["subnets"]],
            routes=list(_routes(nic)),
            mtu=nic["mtu"],
            guarded=nic["filtered"],
            groups=nic["groups"],
            allowed=[one["address"] for one in nic.get("allowed", ())],
            off=off,
        )


def _routes(nic: Mapping[str, Any]) -> Iterator[RouteWiring]:
    """The default route is through one interface only."""
    for subnet in nic["subnets"]:
        yield from wired_routes(subnet.get("routes", ()))
        if nic["routed"] and "gateway" in subnet:
            yield RouteWiring(ANYWHERE[version(subnet["gateway"])], subnet["gateway"])
