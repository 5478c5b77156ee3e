"""A packet, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence

from stead.core.address import Address
from stead.core.named import NamedTuple

WITH_PORTS = ("tcp", "udp", "sctp")


class Packet(NamedTuple):
    source: str
    target: str
    protocol: str = "icmp"
    port: int = 0
    answers: bool = False  # to one that came through

    @property
    def service(self) -> str:
        return f"{self.protocol}/{self.port}" if self.port else self.protocol


class Hop(NamedTuple):
    """Where a packet is, and what happens to it there."""

    address: Address | None  # None: outside the site
    hosts: Sequence[str]
    packet: Packet  # as it leaves
    says: Sequence[str]


class Trace(NamedTuple):
    hops: Sequence[Hop]
    refused: str = ""  # why it gets no further than its last hop
    mtu: int = 0  # the smallest on the way


class Traced(NamedTuple):
    there: Trace
    back: Trace | None  # of the answer; None where nothing arrived

    @property
    def refused(self) -> str:
        if self.there.refused:
            return self.there.refused
        return f"the answer does not come back: {self.back.refused}" if self.back and self.back.refused else ""
