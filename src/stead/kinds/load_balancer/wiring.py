"""What packets meet at a load balancer. Whom it passes them to is another packet, of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stead.core.wiring import ANYWHERE, PlugWiring, RouteWiring, network_of, version


def wired(wants: Sequence[Mapping[str, Any]]) -> Iterator[PlugWiring]:
    want = wants[0]
    one = want["interfaces"]["inside"]
    yield PlugWiring(
        network=want["network"],
        addresses=_bare(one["addresses"]),
        nets=sorted({network_of(address) for address in one["addresses"]}),
        routes=[RouteWiring(ANYWHERE[version(gateway)], gateway) for gateway in want["gateways"]],
        mtu=one["mtu"],
        guarded=False,
        speaks_from=sorted({address for each in wants for address in _bare(each["interfaces"]["inside"]["own"])}),
        listens=[("tcp", listener["port"]) for listener in want["listeners"].values()],
    )


def _bare(sized: Sequence[str]) -> list[str]:
    return [one.partition("/")[0] for one in sized]
