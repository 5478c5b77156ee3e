"""What packets meet in a network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stead.core.wiring import NetworkWiring


def wired(wants: Sequence[Mapping[str, Any]]) -> Iterator[NetworkWiring]:
    want = wants[0]
    subnets = want["subnets"].values()
    served = (address for one in wants for address in one.get("service", {}).get("addresses", ()))
    yield NetworkWiring(
        nets=[one["cidr"] for one in subnets],
        mtu=want["mtu"],
        type=want["type"],
        gateways=[one["gateway"] for one in subnets if "gateway" in one],
        servers=sorted({one.partition("/")[0] for one in served}),
        physical=want.get("physical", ""),
    )
