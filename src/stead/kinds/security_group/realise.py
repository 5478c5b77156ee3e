"""What hosts should have of a security group: its rules, and the addresses of the groups they name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from stead.core.kind import Member, World
from stead.core.want import Body, Want
from stead.kinds.security_group.model import SecurityGroup
from stead.kinds.shared import firewall
from stead.kinds.shared.several import as_tuple
from stead.language.desired import Block, Desired


def realise(block: Block, members: Sequence[Member], world: World) -> Iterator[Mapping[str, Want]]:
    """On every host with an interface in the group, so that a host holds no rule it does not use."""
    model: SecurityGroup = block.model
    for member in members:
        fields = firewall.compiled(_rules(block, member), world) | {"stateful": model.stateful}
        own = {"name": str(member.address), "uuid": member.leases["uuid"]}
        want = partial(_want, fields, own)
        yield firewall.on_hosts(member.address, world, want) or {"": want({})}


def _want(fields: Mapping[str, Any], own: Mapping[str, Any], drivers: Mapping[str, Any]) -> Want:
    return Want.of(Body.of({**fields, **drivers}), own)


def _rules(block: Block, member: Member) -> list[dict[str, Any]]:
    model: SecurityGroup = block.model
    rules: list[dict[str, Any]] = []
    if model.ingress is not None:
        rules += firewall.flat(model.ingress, "in", "from_")
    elif member.address == firewall.default_group(block.project):
        rules += [rule for rule in firewall.default_rules(member.address) if rule["direction"] == "in"]
    if model.egress is None:
        rules += firewall.open_egress()
    else:
        rules += firewall.flat(model.egress, "out", "to")
    return rules


def usage(block: Block, _desired: Desired) -> dict[str, int]:
    model: SecurityGroup = block.model
    rules = sum(max(1, len(as_tuple(rule.from_))) for rule in model.ingress or ())
    rules += sum(max(1, len(as_tuple(rule.to))) for rule in model.egress or ())
    return {"security_group_rules": rules}


def facts(_block: Block, member: Member, world: World) -> dict[str, Any]:
    told = world.contributions(member.address, firewall.MEMBER)
    return {
        "name": member.address.label,
        "uuid": member.leases["uuid"],
        "addresses": sorted({address for fact in told for address in fact["addresses"]}),
    }
