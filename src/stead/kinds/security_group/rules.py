"""What a rule can say. Looks only at the spec."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stead.core.diagnostics import Code, Diagnostic, Severity
from stead.core.want import canonical
from stead.kinds.security_group.model import SecurityGroup
from stead.kinds.shared.several import as_tuple
from stead.kinds.shared.subnets import is_v4
from stead.language.desired import Block, Desired

PORTS = Code("STEAD-N040", "the protocol has no ports")
ICMP = Code("STEAD-N041", "the protocol has no ICMP types")
FAMILY = Code("STEAD-N042", "the rule mixes IPv4 and IPv6")
SIDE = Code("STEAD-N044", "a rule needs either a CIDR or a group")
TWICE = Code("STEAD-N045", "a rule is written twice", Severity.WARNING)

WITH_PORTS = frozenset({"tcp", "udp", "sctp", "udplite", "dccp"})
WITH_TYPES = frozenset({"icmp", "icmpv6"})
_FAMILIES = {"icmp": "ipv4", "igmp": "ipv4", "ipip": "ipv4", "icmpv6": "ipv6"}


def check(block: Block, _desired: Desired) -> Iterator[Diagnostic]:
    model: SecurityGroup = block.model
    for direction, rules, sides in (("ingress", model.ingress, "from_"), ("egress", model.egress, "to")):
        seen: dict[str, int] = {}
        for at, rule in enumerate(rules or ()):
            stem = f"{direction}.{at}"
            yield from _protocol(block, stem, rule)
            yield from _sides(block, stem, rule, sides)
            first = seen.setdefault(_text(rule), at)
            if first != at:
                text = f"It is the same as rule {first + 1} of the {direction}. Remove one of them."
                yield TWICE.at(block.place(stem), text)


def _text(rule: Any) -> str:
    from stead.kinds.shared.record_only import plain

    return canonical(plain(rule))


def _protocol(block: Block, stem: str, rule: Any) -> Iterator[Diagnostic]:
    ports = as_tuple(rule.ports)
    if ports and rule.protocol not in WITH_PORTS:
        which = "a rule without a protocol" if rule.protocol == "any" else rule.protocol
        text = (
            f"{which} has no ports: {', '.join(sorted(WITH_PORTS))} have. Write `protocol: tcp`, or leave `ports` out."
        )
        yield PORTS.at(block.place(f"{stem}.ports"), text)
    if rule.type is not None and rule.protocol not in WITH_TYPES:
        text = f"{rule.protocol} has no ICMP types. Write `protocol: icmp` or `icmpv6`, or leave `type` out."
        yield ICMP.at(block.place(f"{stem}.type"), text)
    if rule.code is not None and rule.type is None:
        text = "`code` needs `type`. Add `type:`."
        yield ICMP.at(block.place(f"{stem}.code"), text)


def _sides(block: Block, stem: str, rule: Any, field: str) -> Iterator[Diagnostic]:
    word = field.rstrip("_")
    said = {family for family in (rule.family, _FAMILIES.get(rule.protocol)) if family}
    if len(said) > 1:
        text = f"{rule.protocol} is of {_FAMILIES[rule.protocol]}, and the rule says {rule.family}. Drop `family`."
        yield FAMILY.at(block.place(f"{stem}.family"), text)
    several = isinstance(getattr(rule, field), tuple)
    for at, side in enumerate(as_tuple(getattr(rule, field))):
        place = block.place(f"{stem}.{word}.{at}" if several else f"{stem}.{word}")
        if (side.cidr is None) == (side.group is None):
            found = "both" if side.cidr is not None else "neither"
            text = f"It names {found}. Write `{word}: 10.0.0.0/8` or `{word}: {{group: web}}`; several make a list."
            yield SIDE.at(place, text)
        elif side.cidr is not None and len(said) == 1:
            family = "ipv4" if is_v4(side.cidr) else "ipv6"
            if family not in said:
                text = (
                    f"{side.cidr} is {family} and the rule is for {min(said)} only, so the rule would never "
                    "match. Change one of them."
                )
                yield FAMILY.at(place, text)
