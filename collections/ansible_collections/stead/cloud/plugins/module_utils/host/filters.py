"""Security rules as libvirt's network filters. Pure: rules in, XML out.

A group is one filter, which the filter of every interface in it refers to, and the addresses of the group on the other
side are an ipset: a new member changes a set, and no interface. Filters follow a domain when it starts or migrates.
"""

from __future__ import annotations

import ipaddress
import uuid
from hashlib import blake2b
from xml.etree import ElementTree as Xml

from .elements import element
from .failing import Failed

_IDS = uuid.UUID("5e1f0f3c-5f0a-4c55-9d3e-6d6f1f1f7a10")  # of names: a filter keeps its identity when it is redefined
BOTH = {"any": "all", "tcp": "tcp", "udp": "udp", "udplite": "udplite", "sctp": "sctp", "esp": "esp", "ah": "ah"}
FIRST, RULES, LAST = "100", "500", "1000"
NO_FORGED_IPV6 = "stead-no-ipv6-spoofing"


def short(text):
    return blake2b(text.encode(), digest_size=6).hexdigest()


def group_name(address):
    return "stead-group-" + short(address)


def port_name(mac):
    return "stead-port-" + mac.replace(":", "")


def set_name(group, version):
    """Of an ipset: 31 characters at most."""
    return "stead-{0}-{1}".format(short(group), version)


def _filter(name, chain="root", priority=None):
    found = Xml.Element("filter", {"name": name, "chain": chain})
    if priority is not None:
        found.set("priority", str(priority))
    element(found, "uuid", text=uuid.uuid5(_IDS, name))
    return found


def _rule(parent, action, direction, priority, match, attributes=None, stateful=True):  # noqa: PLR0913, PLR0917 - a rule has so many parts
    rule = element(parent, "rule", {"action": action, "direction": direction, "priority": priority})
    if not stateful:
        rule.set("statematch", "false")
    element(rule, match, attributes)


def group(address, rules, stateful):
    found = _filter(group_name(address))
    for rule in rules:
        for match, attributes in _matches(rule):
            _rule(found, "accept", rule["direction"], RULES, match, attributes, stateful)
    return _text(found)


def _matches(rule):
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


def _versions(rule):
    protocol = rule["protocol"]
    if protocol in ("icmp", "igmp"):
        return (4,)
    if protocol == "icmpv6":
        return (6,)
    if "cidr" in rule:
        return (ipaddress.ip_network(rule["cidr"], strict=False).version,)
    return {"ipv4": (4,), "ipv6": (6,)}.get(rule.get("family"), (4, 6))


def _protocol(protocol, version):
    if protocol in ("icmp", "igmp", "icmpv6"):
        return protocol
    if protocol not in BOTH:
        raise Failed("libvirt's filters know no protocol {0}. Use `any` with a CIDR.".format(protocol))
    return BOTH[protocol] + ("-ipv6" if version == 6 else "")


def _other_side(rule, version):
    side = "src" if rule["direction"] == "in" else "dst"
    if "group" in rule:
        return {"ipset": set_name(rule["group"], version), "ipsetflags": side}
    if "cidr" in rule:
        net = ipaddress.ip_network(rule["cidr"], strict=False)
        return {side + "ipaddr": net.network_address, side + "ipmask": net.prefixlen}
    return {}


def no_forged_ipv6():
    """As libvirt's own, which forgets that neighbours are found from link-local addresses, and from none."""
    found = _filter(NO_FORGED_IPV6, "ipv6-ip", -610)
    _rule(found, "return", "out", FIRST, "ipv6", {"srcipaddr": "fe80::", "srcipmask": 10})
    _rule(found, "return", "out", FIRST, "ipv6", {"srcipaddr": "::"})
    _rule(found, "return", "out", RULES, "ipv6", {"srcipaddr": "$IPV6"})
    _rule(found, "drop", "out", LAST, "all-ipv6")
    return _text(found)


def port(nic, own):
    """Of one interface: only its own addresses, what it needs to get them, what its groups allow, and nothing else."""
    found = _filter(port_name(own["mac"]))
    _own_addresses(found, nic, own)
    for direction, source, target in (("out", 68, 67), ("in", 67, 68)):
        _rule(found, "accept", direction, FIRST, "udp", {"srcportstart": source, "dstportstart": target}, False)
    for direction, source, target in (("out", 546, 547), ("in", 547, 546)):
        _rule(found, "accept", direction, FIRST, "udp-ipv6", {"srcportstart": source, "dstportstart": target}, False)
    for kind in (133, 134, 135, 136):
        direction = {133: "out", 134: "in"}.get(kind, "inout")
        _rule(found, "accept", direction, FIRST, "icmpv6", {"type": kind}, False)
    for one in nic["groups"]:
        element(found, "filterref", {"filter": group_name(one)})
    for match in ("all", "all-ipv6"):
        _rule(found, "drop", "inout", LAST, match)
    return _text(found)


def _own_addresses(found, nic, own):
    allowed = nic.get("allowed", [])
    if any("mac" in one or "/" in one["address"] for one in allowed):
        return  # a virtual MAC or a whole network behind it: nothing that it sends is forged
    known = [str(one) for one in own["addresses"]] + [one["address"] for one in allowed]
    mine = {version: [one for one in known if (":" in one) == (version == 6)] for version in (4, 6)}
    element(found, "filterref", {"filter": "no-mac-spoofing"})
    element(found, "filterref", {"filter": "no-arp-mac-spoofing"})
    if mine[4]:
        _refer(found, "no-ip-spoofing", "IP", mine[4])
        _refer(found, "no-arp-ip-spoofing", "IP", mine[4] + ["0.0.0.0"])  # noqa: S104 - who asks whether it is free
    if mine[6]:
        _refer(found, NO_FORGED_IPV6, "IPV6", mine[6])


def _refer(found, name, variable, values):
    reference = element(found, "filterref", {"filter": name})
    for value in values:
        element(reference, "parameter", {"name": variable, "value": value})


def _text(found):
    return Xml.tostring(found, encoding="unicode")
