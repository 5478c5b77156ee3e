"""Ports of a router's address outside that lead to instances."""

from __future__ import annotations

import ipaddress
import os
from typing import Dict, List, Mapping, Tuple

from ...base import commands
from ...base.errors import Failed, FailureCode
from ...base.paths import PASSABLE, ROUTERS
from ...base.step import Want
from ...base.work import Work
from .. import rules

NOT_A_FORWARD = FailureCode("STEAD-E220", "a forward is not allowed in nftables' rules")


def outside(want: Want) -> List[str]:
    """The IPv4 addresses outside of a router, without those of its floating IPs; or that of a floating IP."""
    out = want.get("external") or {}
    uplink = want.get("uplink") or {}
    found = [*out.get("addresses", ()), *([uplink["address"]] if uplink else ())]
    found += [want["address"]] if "address" in want else []
    return [one.partition("/")[0] for one in found if ":" not in one]


def translations(want: Want) -> List[str]:
    """In a chain for what comes in: of a router, or of a floating IP."""
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


def put(want: Want, namespace: str, work: Work) -> None:
    """Of a floating IP: a table of its own beside that of its router, so that it comes and goes by itself."""
    table, path = _table(want), _path(want)
    lines = ["add table " + table]
    lines += rules.anew(table, "before", "type nat hook prerouting priority dstnat", *translations(want))
    text = "\n".join(lines) + "\n"
    there = namespace in work.now.namespaces()
    if not rules.same(path, text, work.now.listing(table, namespace) if there else None, work):
        work.directory(os.path.dirname(path), PASSABLE)
        rules.give(path, text, text, lambda: work.now.listing(table, namespace), work, namespace)
    made = work.now.entry("floating_ips", want["uuid"])
    if made is not None and made["want"].get("forwards"):
        cut(made["want"], want, namespace, work)


def take(want: Want, namespace: str, work: Work) -> None:
    table = _table(want)
    if work.now.listing(table, namespace) is not None:
        rules.put("delete table {0}\n".format(table), work, namespace)
        cut(want, {}, namespace, work)
    rules.forget(_path(want), work)


def _table(want: Want) -> str:
    return "ip stead_{0}".format(want["uuid"].replace("-", ""))


def _path(want: Want) -> str:
    return os.path.join(ROUTERS, want["router"]["uuid"], "forwards-{0}.nft".format(want["uuid"]))
