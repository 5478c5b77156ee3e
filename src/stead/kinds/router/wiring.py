"""What packets meet at a router."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stead.core.wiring import HostUplink, LegWiring, RouterWiring, wired_routes


def wired(wants: Sequence[Mapping[str, Any]]) -> Iterator[RouterWiring]:
    want = wants[0]
    out, uplink = want["external"], want.get("uplink")
    yield RouterWiring(
        legs=[*map(_leg, want["interfaces"].values()), *([_leg(out)._replace(out=True)] if out else ())],
        gateways=out.get("gateways", ()),
        routes=wired_routes(want["routes"]),
        hidden=want["snat"],
        forwards=want.get("forwards", {}),
        uplink=HostUplink(uplink["closed"], uplink["open"], uplink["name_servers"]) if uplink else None,
    )


def _leg(one: Mapping[str, Any]) -> LegWiring:
    return LegWiring(one["network"], one["addresses"], one["mtu"])
