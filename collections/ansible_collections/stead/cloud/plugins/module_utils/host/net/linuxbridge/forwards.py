"""Ports of a router's address outside that lead to instances."""

from __future__ import annotations

import ipaddress
from typing import Dict, List, Mapping, Tuple

from ...base import commands
from ...base.errors import Code, Failed
from ...base.step import Want
from ...base.work import Work

NOT_A_FORWARD = Code("STEAD-E220", "a forward is not allowed in nftables' rules")


def outside(want: Want) -> List[str]:
    """Its IPv4 addresses outside: those of floating IPs are none of them."""
    out = want.get("external") or {}
    uplink = want.get("uplink") or {}
    found = [*out.get("addresses", ()), *([uplink["address"]] if uplink else ())]
    return [one.partition("/")[0] for one in found if ":" not in one]


def rules(want: Want) -> List[str]:
    """In the router's chain for what comes in."""
    line = "ip daddr {0} {1} dport {2} dnat to {3}"
    return [
        line.format(address, protocol, port, to)
        for address in outside(want)
        for (protocol, port), to in sorted(read(want).items())
    ]


def read(want: Want) -> Dict[Tuple[str, int], str]:
    """(protocol, port) -> "address:port". Nothing of it is more than that: all of it is written into rules."""
    return dict(_one(key, to) for key, to in want.get("forwards", {}).items())


def _one(key: str, to: str) -> Tuple[Tuple[str, int], str]:
    protocol, _slash, port = key.partition("/")
    address, _colon, inner = to.rpartition(":")
    try:
        numbers = int(port), int(inner)
        known = ipaddress.IPv4Address(address)
    except ValueError:
        numbers, known = (0, 0), None
    if known is None or protocol not in ("tcp", "udp") or not all(0 < number < 65536 for number in numbers):
        text = "{0!r} to {1!r}: expected tcp/8080 and 10.20.0.5:80. Update Stead on the controller."
        raise Failed(NOT_A_FORWARD, text.format(key, to))
    return (protocol, numbers[0]), "{0}:{1}".format(known, numbers[1])


def cut(before: Want, now: Want, namespace: str, work: Work) -> None:
    """What goes on through those that are no more, or lead elsewhere now."""
    lost = {key: to for key, to in read(before).items() if read(now).get(key) != to}
    for protocol, port in sorted(lost):
        work.act("end connections to {0}/{1}".format(protocol, port), _cut, namespace, outside(before), protocol, port)


def _cut(namespace: str, addresses: List[str], protocol: str, port: int) -> None:
    for address in addresses:
        words = ["conntrack", "--delete", "-p", protocol, "--orig-dst", address, "--orig-port-dst", str(port)]
        commands.attempt(["ip", "netns", "exec", namespace, *words])


def ports(want: Mapping[str, object]) -> Dict[str, List[int]]:
    """By protocol."""
    keys = read(dict(want))
    return {protocol: sorted(port for one, port in keys if one == protocol) for protocol in ("tcp", "udp")}
