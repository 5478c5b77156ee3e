"""Moves that hosts cannot make: nothing of such a plan is begun."""

from __future__ import annotations

from collections.abc import Mapping

from stead.core.diagnostics import Code, Diagnostic
from stead.core.effect import Action
from stead.core.kind import Kind
from stead.core.observed import Host
from stead.plan.model import Plan, Step

CANNOT = Code("STEAD-X013", "hosts cannot do a step of the plan")

NAMED = 3  # of the steps that are told of; the plan shows all


def unable(plan: Plan, hosts: Mapping[str, Host], kinds: Mapping[str, Kind]) -> list[Diagnostic]:
    """One diagnostic for each reason, however many steps have it."""
    return [_told(why, steps, plan) for why, steps in staying_of(plan, hosts, kinds).items()]


def staying_of(plan: Plan, hosts: Mapping[str, Host], kinds: Mapping[str, Kind]) -> dict[str, list[Step]]:
    """Migrations that their hosts cannot make, by reason."""
    staying: dict[str, list[Step]] = {}
    for step in plan.steps:
        if step.action is not Action.MIGRATE or step.have is None or not {step.host, step.to} <= hosts.keys():
            continue
        if why := kinds[step.address.kind].stays(step.have.fields(), hosts[step.host], hosts[step.to]):
            staying.setdefault(why, []).append(step)
    return staying


def _told(why: str, steps: list[Step], plan: Plan) -> Diagnostic:
    first = steps[0]
    names = ", ".join(f"{one.address} from {one.host} to {one.to}" for one in steps[:NAMED])
    more = f" and {len(steps) - NAMED:,} more" if len(steps) > NAMED else ""
    keep = plan.keeps.get(first.address)
    return CANNOT.at(keep.place if keep else None, f"migrate {names}{more}. {why}", address=str(first.address))
