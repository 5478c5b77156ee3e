"""Security groups. A rule is a line of a group's `ingress` or `egress`, and its id is made of what it says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from typing import Any

from stead.core.address import Address
from stead.core.want import canonical
from stead.kinds.security_group.model import SecurityGroup, Side
from stead.serve.edits import Content, Edit, change, remove
from stead.serve.faults import bad, conflict, not_found
from stead.serve.routes import Call
from stead.serve.world import CloudState, KnownResource, made_of

PROTOCOLS = {
    "1": "icmp", "2": "igmp", "4": "ipip", "6": "tcp", "17": "udp", "33": "dccp", "47": "gre", "50": "esp", "51": "ah",
    "58": "icmpv6", "89": "ospf", "112": "vrrp", "132": "sctp", "136": "udplite", "ipv6-icmp": "icmpv6",
}  # fmt: skip
KNOWN = frozenset(PROTOCOLS.values())
SIDES = {"ingress": "from", "egress": "to"}
ANY_OUT = [{"family": "ipv4"}, {"family": "ipv6"}]
Rule = Mapping[str, Any]
HIGHEST_PORT, HIGHEST_ICMP = 65535, 255


def first_groups() -> dict[str, Any]:
    """What every project has: a group `default`, whose members reach each other."""
    within = [{"family": family, "from": {"group": "default"}} for family in ("ipv4", "ipv6")]
    return {"security_groups": {"default": {"ingress": within, "egress": ANY_OUT}}}


def said_of(thing: KnownResource) -> dict[str, list[Rule]]:
    """The rules as a document has them: of a file's project, written from what they mean."""
    model: SecurityGroup = thing.model
    default = thing.address.name == "default"
    within: list[Rule] = [{"from": {"group": "default"}}] if default else []
    ingress = within if model.ingress is None else [_rule(one, one.from_) for one in model.ingress]
    egress = ANY_OUT if model.egress is None else [_rule(one, one.to) for one in model.egress]
    return {"ingress": [*ingress], "egress": [*egress]}


def _rule(one: Any, sides: Any) -> Rule:
    found: dict[str, Any] = {}
    if one.protocol != "any":
        found["protocol"] = one.protocol
    for name in ("type", "code", "family", "description"):
        if getattr(one, name) not in (None, ""):
            found[name] = getattr(one, name)
    if one.ports:
        found["ports"] = one.ports if isinstance(one.ports, str) else list(one.ports)
    listed = (sides,) if isinstance(sides, Side) else sides
    if listed:
        found["side"] = [_side(side) for side in listed]
    return found


def _side(side: Side) -> dict[str, Any]:
    return {"group": side.group} if side.group is not None else {"cidr": side.cidr}


def rule_id(group: KnownResource, direction: str, rule: Rule) -> str:
    sides = rule.get("side") or rule.get(SIDES[direction]) or []
    texts = [str(one) for side in (sides if isinstance(sides, list) else [sides]) for one in _texts(side)]
    shape = {name: one for name, one in rule.items() if name not in ("side", "from", "to", "description")}
    return made_of(group.id, direction, canonical(_plain(shape)), ",".join(texts))


def _texts(side: Any) -> Iterator[str]:
    if isinstance(side, str):
        yield side
        return
    name = side.get("group")
    yield str(side.get("cidr")) if name is None else (name.name if isinstance(name, Address) else str(name))


def _plain(rule: Rule) -> dict[str, Any]:
    ports = rule.get("ports")
    return {**rule, **({"ports": [str(ports)] if not isinstance(ports, list) else [*map(str, ports)]} if ports else {})}


def rules_of(world: CloudState, thing: KnownResource) -> list[dict[str, Any]]:
    """In Neutron's words. What is one line here with several ports or sides is one rule for each there."""
    found: list[dict[str, Any]] = []
    for direction, rules in said_of(thing).items():
        for rule in rules:
            found += _data(world, thing, direction, rule)
    return found


def ends(port: str | int | None) -> tuple[int | None, int | None]:
    if port is None:
        return None, None
    low, _, high = str(port).partition("-")
    return int(low), int(high or low)


def _data(world: CloudState, thing: KnownResource, direction: str, rule: Rule) -> Iterator[dict[str, Any]]:
    identity, project = rule_id(thing, direction, rule), world.project_id(thing.address.project)
    sides = rule.get("side") or rule.get(SIDES[direction]) or [{}]
    ports = rule.get("ports")
    whole = sides if isinstance(sides, list) else [sides]
    for number, (side, port) in enumerate(
        (a, b) for a in whole for b in (ports if isinstance(ports, list) else [ports])
    ):
        low, high = ends(port)
        group = side.get("group")
        address = (
            group if isinstance(group, Address) else Address(thing.address.project, "security_groups", group or "")
        )
        cidr = side.get("cidr")
        protocol = rule.get("protocol")
        family = rule.get("family") or ("ipv6" if (cidr and ":" in cidr) or protocol == "icmpv6" else "ipv4")
        yield {
            "id": identity if not number else made_of(identity, str(number)),
            "security_group_id": thing.id,
            "tenant_id": project,
            "project_id": project,
            "direction": direction,
            "ethertype": "IPv6" if family == "ipv6" else "IPv4",
            "protocol": {"icmpv6": "ipv6-icmp"}.get(protocol or "", protocol),
            "port_range_min": rule.get("type") if low is None else low,
            "port_range_max": rule.get("code") if high is None else high,
            "remote_ip_prefix": cidr,
            "remote_group_id": world.id_of(address) if group else None,
            "remote_address_group_id": None,
            "normalized_cidr": cidr,
            "belongs_to_default_sg": thing.address.name == "default",
            "description": rule.get("description", ""),
            "revision_number": 1,
            "tags": [],
            "created_at": thing.created,
            "updated_at": thing.updated,
        }


def data(world: CloudState, thing: KnownResource) -> dict[str, Any]:
    project = world.project_id(thing.address.project)
    return {
        "id": thing.id,
        "name": thing.name,
        "description": thing.model.description,
        "tenant_id": project,
        "project_id": project,
        "stateful": thing.model.stateful,
        "shared": False,
        "security_group_rules": rules_of(world, thing),
        "tags": list(thing.settings.tags),
        "revision_number": 1,
        "created_at": thing.created,
        "updated_at": thing.updated,
    }


def rule_from(call: Call, world: CloudState, said: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Direction and line of a rule that is asked for."""
    direction = said["direction"]
    family = "ipv6" if said.get("ethertype", "IPv4").lower() == "ipv6" else "ipv4"
    protocol = str(said["protocol"]).lower() if said.get("protocol") not in (None, "", "any") else ""
    protocol = PROTOCOLS.get(protocol, protocol)
    if protocol == "icmp" and family == "ipv6":
        protocol = "icmpv6"
    if protocol and protocol not in KNOWN:
        raise bad(f"Security group rule protocol {protocol[:20]} not supported.")
    rule: dict[str, Any] = {"family": family, **({"protocol": protocol} if protocol else {})}
    rule |= _ports(said, protocol)
    if said.get("remote_ip_prefix") and said.get("remote_group_id"):
        raise bad("Only remote_ip_prefix or remote_group_id may be provided.")
    if prefix := said.get("remote_ip_prefix"):
        rule[SIDES[direction]] = {"cidr": _cidr(prefix, family)}
    if group := said.get("remote_group_id"):
        other = world.find("security_groups", group, call.project, what="Security group")
        rule[SIDES[direction]] = {"group": other.address.name}
    if said.get("description"):
        rule["description"] = said["description"]
    return direction, rule


def _cidr(text: str, family: str) -> str:
    try:
        network = ip_network(text, strict=False)
    except ValueError as error:
        raise bad(f"Invalid input for remote_ip_prefix: {text[:60]!r} is no CIDR.") from error
    if (network.version == 6) != (family == "ipv6"):
        raise bad(f"Conflicting value ethertype {family} for CIDR {text[:60]}")
    return str(network)


def _ports(said: Mapping[str, Any], protocol: str) -> dict[str, Any]:
    low, high = said.get("port_range_min"), said.get("port_range_max")
    if low is None and high is None:
        return {}
    if protocol in ("icmp", "icmpv6"):
        if low is None:
            raise bad("ICMP code (port-range-max) is provided but ICMP type (port-range-min) is missing.")
        code = {"code": _icmp_number(high, "code")} if high is not None else {}
        return {"type": _icmp_number(low, "type"), **code}
    if not protocol:
        raise bad("Must also specify protocol if port range is given.")
    numbers = [_port_number(one) for one in (low, high) if one is not None]
    first, last = numbers[0], numbers[-1]
    if len(numbers) < 2 or first > last:
        raise bad("For TCP/UDP protocols, port_range_min must be <= port_range_max")
    return {"ports": str(first) if first == last else f"{first}-{last}"}


def _port_number(said: int | str) -> int:
    if not 0 <= int(said) <= HIGHEST_PORT:
        raise bad(f"Invalid value for port {said}: it is from 0 to {HIGHEST_PORT}.")
    return int(said)


def _icmp_number(said: int | str, what: str) -> int:
    if not 0 <= int(said) <= HIGHEST_ICMP:
        raise bad(f"Invalid value for ICMP {what} {said}: it is from 0 to {HIGHEST_ICMP}.")
    return int(said)


def add_rule(key: str, direction: str, rule: Rule) -> Edit:
    def edit(content: Content) -> Content:
        group = content.get("security_groups", {}).get(key, {})
        rules = [*group.get(direction, ())]
        plain = {name: one for name, one in rule.items() if name != "description"}
        if any({name: one for name, one in each.items() if name != "description"} == plain for each in rules):
            raise conflict("Security group rule already exists.")
        return change(content, "security_groups", key, {direction: [*rules, dict(rule)]})

    return edit


def remove_rule(thing: KnownResource, identity: str) -> Edit:
    def edit(content: Content) -> Content:
        group = content.get("security_groups", {}).get(thing.address.name, {})
        kept = {
            direction: [one for one in group.get(direction, ()) if rule_id(thing, direction, one) != identity]
            for direction in SIDES
        }
        return change(content, "security_groups", thing.address.name, kept)

    return edit


def remove_group(key: str) -> Edit:
    """With the rules of other groups that are for its members."""

    def edit(content: Content) -> Content:
        for name, group in content.get("security_groups", {}).items():
            kept = {
                direction: [one for one in group[direction] if one.get(side) != {"group": key}]
                for direction, side in SIDES.items()
                if direction in group
            }
            if any(len(rules) < len(group[direction]) for direction, rules in kept.items()):
                content = change(content, "security_groups", name, kept)
        return remove(content, "security_groups", key)

    return edit


def group_of_rule(world: CloudState, projects: list[str] | None, identity: str) -> tuple[KnownResource, dict[str, Any]]:
    for thing in world.things("security_groups", projects):
        for rule in rules_of(world, thing):
            if rule["id"] == identity:
                return thing, rule
    raise not_found("Security group rule", identity)
