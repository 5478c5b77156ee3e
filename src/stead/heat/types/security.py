"""Neutron: security groups and their rules."""

from __future__ import annotations

from stead.heat.fields import Fields
from stead.heat.handler import Handler
from stead.heat.stack import HotResource
from stead.heat.template import WRONG
from stead.heat.values import Either, Expr, Reference, Value, is_late, joined

NUMBERS = {1: "icmp", 2: "igmp", 4: "ipip", 6: "tcp", 17: "udp", 33: "dccp", 47: "gre", 50: "esp", 51: "ah",
           58: "icmpv6", 89: "ospf", 112: "vrrp", 132: "sctp", 136: "udplite"}  # fmt: skip
OTHERS = {"ipv6-icmp": "icmpv6", "icmp6": "icmpv6", "": "any"}
PORTED = ("tcp", "udp", "sctp", "udplite", "dccp")


def group(resource: HotResource, fields: Fields) -> None:
    assert resource.entry is not None  # noqa: S101 - groups have one
    made = resource.entry.fields
    made["display_name"] = fields.early("name")
    made["description"] = fields.early("description")

    def add(below: Fields) -> Value:
        _add(resource, resource, below)

    fields.maps(["rules"], add)


def rule(resource: HotResource, fields: Fields) -> None:
    """Added to its group."""
    value = fields.take("security_group")
    target = value.resource if isinstance(value, Reference) else None
    if target is None or target.entry is None or target.kind != "security_groups":
        fields.no_property("security_group", "The group is none of this template's. Its definition has its rules.")
        return
    resource.part_of = target
    _add(target, resource, fields)


def _add(group: HotResource, resource: HotResource, fields: Fields) -> None:
    assert group.entry is not None  # noqa: S101 - it was asked for
    direction = fields.take("direction") or "ingress"
    if direction not in ("ingress", "egress"):
        fields.tell(WRONG, "direction", "It is `ingress` or `egress`.")
        return
    made: Value = _rule(group, fields, "from" if direction == "ingress" else "to")
    if isinstance(resource.condition, Expr):
        made = Either(resource.condition, made, None)
    group.entry.fields[direction] = [*(group.entry.fields.get(direction) or []), made]


def _rule(group: HotResource, fields: Fields, side: str) -> dict[str, Value]:
    protocol = fields.early("protocol")
    protocol = OTHERS.get(protocol, protocol) if isinstance(protocol, str) else protocol
    protocol = NUMBERS.get(int(protocol), protocol) if str(protocol).isdecimal() else protocol
    made: dict[str, Value] = {"protocol": protocol}
    made.update(_ports(fields, protocol))
    other = _other_side(group, fields)
    family = fields.early("ethertype")
    made["family"] = _family(protocol, family, other)
    made[side] = other
    made["description"] = fields.early("description")
    return {name: one for name, one in made.items() if one is not None}


def _family(protocol: Value, family: Value, other: Value) -> Value:
    """Neutron's rules are of IPv4, unless they say otherwise. A prefix says it as well."""
    if protocol in ("icmp", "icmpv6") or (other is not None and not isinstance(other, dict)):
        return None
    return "ipv6" if family == "IPv6" else "ipv4"


def _ports(fields: Fields, protocol: Value) -> dict[str, Value]:
    low, high = fields.take("port_range_min"), fields.take("port_range_max")
    if protocol in ("icmp", "icmpv6"):
        return {"type": low, "code": high}
    if low is None and high is None:
        return {}
    low, high = (high if low is None else low), (low if high is None else high)
    if is_late([low, high]):
        fields.early("port_range_min")
        return {}
    if isinstance(low, Expr) and low.many:
        low, high = Expr(low.text), Expr(high.text) if isinstance(high, Expr) else high
    if low == high:
        return {"ports": _number(low)}
    if (_number(low), _number(high)) in ((1, 65535), (0, 65535)) and protocol in PORTED:
        return {}
    return {"ports": joined([low, "-", high])}


def _number(value: Value) -> Value:
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def _other_side(group: HotResource, fields: Fields) -> Value:
    prefix = fields.take("remote_ip_prefix")
    if isinstance(prefix, Expr) and prefix.many:
        prefix = Expr(prefix.text)
    prefix = fields.trying("remote_ip_prefix", lambda: fields.checked(prefix, "remote_ip_prefix"))
    mode = fields.take("remote_mode")
    remote = fields.take("remote_group_id", "remote_group")
    if remote is None and mode == "remote_group_id":
        remote = Reference(group)
    if remote is not None:
        name = fields.named("security_groups", remote, "remote_group_id", many=True)
        return None if name is None else {"group": name}
    return prefix


TYPES = {
    "OS::Neutron::SecurityGroup": Handler(group, "security_groups", {"name": "name"}, frozenset({"value_specs"})),
    "OS::Neutron::SecurityGroupRule": Handler(rule, counts=False),
}
