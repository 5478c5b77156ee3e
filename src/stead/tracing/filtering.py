"""What an interface lets out and in: port security, and its security groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stead.core.named import NamedTuple
from stead.core.wiring import PlugWiring, RulesWiring, version
from stead.tracing.model import WITH_PORTS, Packet
from stead.tracing.site import WiredSite, in_any, is_in

# A program that asks gets one of these from its system: answers to it have to be let through by number.
EPHEMERAL = (32_768, 60_999)
WORDS = {"in": ("lets in", "from"), "out": ("lets out", "to")}


class Judged(NamedTuple):
    says: str
    passes: bool
    stateful: bool = True  # whether the answer passes by itself


def forged(plug: PlugWiring, packet: Packet) -> str:
    """Why port security drops what is sent. Empty if it does not."""
    own = (*plug.addresses, *plug.speaks_from)
    if not plug.guarded or packet.source in own or in_any(packet.source, plug.allowed):
        return ""
    return f"port security: this interface may send from {', '.join(own) or 'no address'}, and not from {packet.source}"


def judged(plug: PlugWiring, direction: str, packet: Packet, site: WiredSite) -> Judged:
    """Rules only ever allow, so the first that matches is enough; of those, one whose answers pass by themselves."""
    if not plug.guarded:
        return Judged("no security group: everything passes", True)
    does, side = WORDS[direction]
    groups = [site.rules[name] for name in plug.groups if name in site.rules]
    if packet.answers:  # what lets out by state lets out what a guest begins, and answers to what it let in
        groups = [one for one in groups if not one.stateful]
    found = [(group, rule) for group in groups for rule in _matching(group, direction, packet)]
    if found:
        group, rule = max(found, key=lambda one: one[0].stateful)
        return Judged(f"{group.group} {does} {spoken(rule)}", True, group.stateful)
    other = packet.source if direction == "in" else packet.target
    if not plug.groups:
        return Judged(
            f"the interface is in no security group, so nothing {does.removeprefix('lets ')} is allowed", False
        )
    names = " and ".join(plug.groups)
    return Judged(f"no rule of {names} {does} {packet.service} {side} {other}", False)


def _matching(group: RulesWiring, direction: str, packet: Packet) -> Iterator[Mapping[str, Any]]:
    for rule in group.rules:
        if rule["direction"] == direction and _matches(rule, direction, packet, group):
            yield rule


def _matches(rule: Mapping[str, Any], direction: str, packet: Packet, group: RulesWiring) -> bool:
    other = packet.source if direction == "in" else packet.target
    if rule.get("family", f"ipv{version(other)}") != f"ipv{version(other)}":
        return False
    if rule["protocol"] not in ("any", packet.protocol):
        return False
    if "ports" in rule and not _covers(rule["ports"], packet):
        return False
    if rule.get("type", _type(packet)) != _type(packet) or rule.get("code", 0) != 0:
        return False
    if "cidr" in rule:
        return is_in(other, rule["cidr"])
    return "group" not in rule or in_any(other, group.sets.get(rule["group"], ()))


def _covers(ports: Sequence[str], packet: Packet) -> bool:
    first, last = EPHEMERAL if packet.answers else (packet.port, packet.port)
    ranges = [(int(low), int(high or low)) for low, _dash, high in (one.partition("-") for one in ports)]
    return packet.protocol in WITH_PORTS and any(low <= first and last <= high for low, high in ranges)


def _type(packet: Packet) -> int:
    """Of a ping and its answer."""
    kinds = {"icmp": (8, 0), "icmpv6": (128, 129)}
    return kinds.get(packet.protocol, (0, 0))[packet.answers]


def spoken(rule: Mapping[str, Any]) -> str:
    words = "everything" if rule["protocol"] == "any" else rule["protocol"]
    words += f" {', '.join(rule['ports'])}" if "ports" in rule else ""
    words += f" type {rule['type']}" if "type" in rule else ""
    side = "from" if rule["direction"] == "in" else "to"
    other = rule.get("cidr") or rule.get("group")
    return f"{words} {side} {other}" if other else words
