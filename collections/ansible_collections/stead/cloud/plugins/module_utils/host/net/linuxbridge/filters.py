"""Security rules as libvirt's network filters. Pure: rules in, XML out.

A group is one filter, which the filter of every interface in it refers to, and the addresses of the group on the other
side are an ipset: a new member changes a set, and no interface. Filters follow a domain when it starts or migrates.
"""

from __future__ import annotations

import ipaddress
import uuid
from hashlib import blake2b
from typing import Any, Dict, Iterator, Mapping, Optional, Sequence, Tuple
from xml.etree import ElementTree as Xml

from ....wire.security_group import RuleWant
from ...base.elements import element
from ...base.errors import Failed
from ..driver import NO_RULE, Nic, Port

_IDS = uuid.UUID("5e1f0f3c-5f0a-4c55-9d3e-6d6f1f1f7a10")  # of names: a filter keeps its identity when it is redefined
BOTH = {"any": "all", "tcp": "tcp", "udp": "udp", "udplite": "udplite", "sctp": "sctp", "esp": "esp", "ah": "ah"}
# Of a rule without a state libvirt lets the answers pass; of one with all states it does not.
ANY_STATE = "NEW,ESTABLISHED,RELATED,INVALID"
FIRST, RULES, LAST = "100", "500", "1000"


def short(text: str) -> str:
    return blake2b(text.encode(), digest_size=6).hexdigest()


def group_name(address: str) -> str:
    return "stead-group-" + short(address)


def port_name(mac: str) -> str:
    return "stead-port-" + mac.replace(":", "")


def set_name(group: str, version: int) -> str:
    """Of an ipset: 31 characters at most."""
    return "stead-{0}-{1}".format(short(group), version)


def _filter(name: str, chain: str = "root", priority: Optional[int] = None) -> Xml.Element:
    found = Xml.Element("filter", {"name": name, "chain": chain})
    if priority is not None:
        found.set("priority", str(priority))
    element(found, "uuid", text=uuid.uuid5(_IDS, name))
    return found


def _rule(  # noqa: PLR0913, PLR0917 - a rule has so many parts
    parent: Xml.Element,
    action: str,
    direction: str,
    priority: str,
    match: str,
    attributes: Optional[Mapping[str, object]] = None,
    stateful: bool = True,
) -> None:
    rule = element(parent, "rule", {"action": action, "direction": direction, "priority": priority})
    if not stateful:
        rule.set("statematch", "false")
    element(rule, match, attributes)


def group(address: str, rules: Sequence[RuleWant], stateful: bool) -> str:
    found = _filter(group_name(address))
    always = {} if stateful else {"state": ANY_STATE}
    for rule in rules:
        for match, attributes in _matches(rule):
            _rule(found, "accept", rule["direction"], RULES, match, dict(attributes, **always))
    return _text(found)


def _matches(rule: RuleWant) -> Iterator[Tuple[str, Dict[str, object]]]:
    for version in _versions(rule):
        match = _protocol(rule["protocol"], version)
        base = _other_side(rule, version)
        for name in ("type", "code"):
            if name in rule:
                base[name] = rule[name]
        for ports in rule.get("ports", [""]):
            if ports:
                first, _dash, last = ports.partition("-")
                yield match, dict(base, dstportstart=first, dstportend=last or first)
            else:
                yield match, base


def _versions(rule: RuleWant) -> Tuple[int, ...]:
    protocol = rule["protocol"]
    if protocol in ("icmp", "igmp"):
        return (4,)
    if protocol == "icmpv6":
        return (6,)
    if "cidr" in rule:
        return (ipaddress.ip_network(rule["cidr"], strict=False).version,)
    families: Dict[str, Tuple[int, ...]] = {"ipv4": (4,), "ipv6": (6,)}
    return families.get(rule.get("family", ""), (4, 6))


def _protocol(protocol: str, version: int) -> str:
    if protocol in ("icmp", "igmp", "icmpv6"):
        return protocol
    if protocol not in BOTH:
        raise Failed(NO_RULE, "libvirt's filters know no protocol {0}. Use `any` with a CIDR.".format(protocol))
    return BOTH[protocol] + ("-ipv6" if version == 6 else "")


def _other_side(rule: RuleWant, version: int) -> Dict[str, object]:
    side = "src" if rule["direction"] == "in" else "dst"
    if "group" in rule:
        return {"ipset": set_name(rule["group"], version), "ipsetflags": side}
    if "cidr" in rule:
        net = ipaddress.ip_network(rule["cidr"], strict=False)
        return {side + "ipaddr": net.network_address, side + "ipmask": net.prefixlen}
    return {}


def port(nic: Nic, own: Port) -> str:
    """Of one interface: what it needs to get its addresses, what its groups allow, and nothing else.

    That it claims no address but its own is seen to by `antispoof`, before this.
    """
    found = _filter(port_name(own["mac"]))
    for direction, source, target in (("out", 68, 67), ("in", 67, 68)):
        _rule(found, "accept", direction, FIRST, "udp", {"srcportstart": source, "dstportstart": target}, False)
    for direction, source, target in (("out", 546, 547), ("in", 547, 546)):
        _rule(found, "accept", direction, FIRST, "udp-ipv6", {"srcportstart": source, "dstportstart": target}, False)
    for kind, directions in ((133, ("out",)), (134, ("in",)), (135, ("in", "out")), (136, ("in", "out"))):
        for direction in directions:  # libvirt leaves out a rule with a type that is for both
            _rule(found, "accept", direction, FIRST, "icmpv6", {"type": kind}, False)
    for match in ("icmp", "icmpv6"):
        for direction in ("in", "out"):
            # Errors of connections that are allowed; and answers to a type that is, which libvirt does not let back.
            for state in ("RELATED", "ESTABLISHED"):
                _rule(found, "accept", direction, FIRST, match, {"state": state})
    _let_look(found, nic.get("look"))
    for one in nic["groups"]:
        element(found, "filterref", {"filter": group_name(one)})
    for match in ("all", "all-ipv6"):
        _rule(found, "drop", "inout", LAST, match)
    return _text(found)


def _let_look(found: Xml.Element, look: Optional[Mapping[str, Any]]) -> None:
    """Stead sees whether it is ready, whatever the groups say of others."""
    if look is not None:
        match = "tcp-ipv6" if ":" in look["address"] else "tcp"
        _rule(found, "accept", "in", FIRST, match, {"srcipaddr": look["address"], "dstportstart": look["port"]})


def _text(found: Xml.Element) -> str:
    return Xml.tostring(found, encoding="unicode")
