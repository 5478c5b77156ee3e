"""A security group is a port group of OVN's with access lists, and the addresses of the groups that its rules name.

Which ports are in it the networks say. What it lets through is planned; here it is put into OVN's words.
"""

from __future__ import annotations

import ipaddress
from typing import Dict, Iterator, List, Mapping, Sequence, Tuple

from ....wire.security_group import RuleWant
from ...base.errors import Failed
from ...base.readings import Readings
from ...base.step import Want
from ...base.work import Work
from ..driver import NO_RULE
from . import naming, rows
from .rows import Part, WantedRow, links

ALLOW = 1002  # above what a network drops and what it always lets through
RULES: Part = ("rules", None)
# By number: OVN has names only for those whose ports it can look at.
NUMBERS = {
    "icmp": 1,
    "igmp": 2,
    "ipip": 4,
    "dccp": 33,
    "gre": 47,
    "esp": 50,
    "ah": 51,
    "icmpv6": 58,
    "ospf": 89,
    "vrrp": 112,
    "udplite": 136,
}
WITH_PORTS = ("tcp", "udp", "sctp")
FAMILIES: Mapping[str, Tuple[int, ...]] = {"icmp": (4,), "igmp": (4,), "icmpv6": (6,)}
GIVEN: Mapping[str, Tuple[int, ...]] = {"ipv4": (4,), "ipv6": (6,)}


def ensure(want: Want, work: Work) -> None:
    rows.reconcile(want["name"], rows_of(want), RULES, work)


def remove(have: Want, work: Work) -> None:
    if "name" in have:
        rows.reconcile(have["name"], [], RULES, work)


def is_there(want: Want, now: Readings) -> bool:
    there = rows.existing(want["name"], Work("", check=True, now=now))
    return ("Port_Group", naming.group_name(want["name"])) in there


def restore(want: Want, held: bool, work: Work) -> None:
    """The database outlives a boot."""


def rows_of(want: Want) -> List[WantedRow]:
    group = want["name"]
    found = [row for other, addresses in sorted(want["sets"].items()) for row in _sets(group, other, addresses)]
    action = "allow-related" if want.get("stateful", True) else "allow-stateless"
    acls = [_acl(match, action) for rule in want["rules"] for match in matches(group, rule)]
    unique = list({one.key: one for one in acls}.values())
    columns = {"name": naming.group_name(group), "acls": links("ACL", [one.key for one in unique])}
    return [*found, *unique, WantedRow("Port_Group", naming.group_name(group), columns, RULES)]


def _sets(group: str, other: str, addresses: Sequence[str]) -> Iterator[WantedRow]:
    for version in (4, 6):
        name = naming.addresses_name(group, other, version)
        members = frozenset(one for one in addresses if (":" in one) == (version == 6))
        yield WantedRow("Address_Set", name, {"name": name, "addresses": members}, ("sets", other))


def _acl(found: Tuple[str, str], action: str) -> WantedRow:
    direction, match = found
    columns = {"action": action, "direction": direction, "match": match, "priority": ALLOW}
    return WantedRow("ACL", "{0} {1}".format(direction, match), columns, RULES)


def matches(group: str, rule: RuleWant) -> Iterator[Tuple[str, str]]:
    """Direction and match, for each family that the rule is of."""
    inward = rule["direction"] == "in"
    direction, port = ("to-lport", "outport") if inward else ("from-lport", "inport")
    side = "src" if inward else "dst"
    for version in versions(rule):
        parts = ["{0} == @{1}".format(port, naming.group_name(group)), "ip{0}".format(version)]
        parts += _other_side(group, rule, side, version)
        parts += _protocol(rule, version)
        yield direction, " && ".join(parts)


def versions(rule: RuleWant) -> Tuple[int, ...]:
    if "cidr" in rule:
        return (ipaddress.ip_network(rule["cidr"], strict=False).version,)
    return FAMILIES.get(rule["protocol"], GIVEN.get(rule.get("family", ""), (4, 6)))


def _other_side(group: str, rule: RuleWant, side: str, version: int) -> List[str]:
    if "group" in rule:
        return ["ip{0}.{1} == ${2}".format(version, side, naming.addresses_name(group, rule["group"], version))]
    if "cidr" in rule:
        return ["ip{0}.{1} == {2}".format(version, side, ipaddress.ip_network(rule["cidr"], strict=False))]
    return []


def _protocol(rule: RuleWant, version: int) -> List[str]:
    protocol = rule["protocol"]
    if protocol == "any":
        return []
    if protocol in WITH_PORTS:
        return [protocol, *_ports(protocol, rule.get("ports", ()))]
    if protocol not in NUMBERS or rule.get("ports"):
        raise Failed(NO_RULE, "OVN sees no ports of protocol {0}. Leave `ports` out, or use tcp.".format(protocol))
    found = ["ip.proto == {0}".format(NUMBERS[protocol])]
    return found + [
        "icmp{0}.{1} == {2}".format(version, name, _number(rule, name)) for name in ("type", "code") if name in rule
    ]


def _number(rule: Mapping[str, object], name: str) -> int:
    found = rule[name]
    return found if isinstance(found, int) else int(str(found))


def _ports(protocol: str, ports: Sequence[str]) -> List[str]:
    """One of several."""
    found: Dict[str, None] = {}
    for one in ports:
        first, _dash, last = str(one).partition("-")
        text = "{0}.dst == {1}" if not last else "({0}.dst >= {1} && {0}.dst <= {2})"
        found[text.format(protocol, int(first), int(last or first))] = None
    return ["({0})".format(" || ".join(found))] if found else []
