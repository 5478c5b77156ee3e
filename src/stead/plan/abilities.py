"""Moves that hosts cannot make: nothing of such a plan is begun."""

from __future__ import annotations

from collections.abc import Mapping

from stead.blueprint.model import Blueprint
from stead.core.diagnostics import Code, Diagnostic
from stead.core.effect import Action
from stead.core.kind import Kind
from stead.core.observed import Host, Observed
from stead.core.recorded import Recorded
from stead.plan.model import Plan, Step

CANNOT = Code("STEAD-X013", "hosts cannot do a step of the plan")

NAMED = 3  # of the steps that are told of; the plan shows all


def unable(
    plan: Plan, observed: Observed, recorded: Recorded, blueprint: Blueprint, kinds: Mapping[str, Kind]
) -> list[Diagnostic]:
    """One diagnostic for each reason, however many steps have it."""
    staying = staying_of(plan, observed, blueprint, kinds)
    for step in plan.steps:
        moves = step.action is Action.MIGRATE
        if kinds[step.address.kind].carried and (moves or step.action is Action.REBUILD):
            for why in (
                _in_use(step, observed, kinds),
                _perhaps_in_use(step, observed, recorded, kinds),
            ):
                staying.setdefault(why, []).append(step)
    return [_told(why, steps, plan) for why, steps in staying.items() if why]


def _in_use(step: Step, observed: Observed, kinds: Mapping[str, Kind]) -> str:
    for address, haves in observed.haves.items():
        kind = kinds.get(address.kind)
        for have in haves.values() if kind is not None and kind.guest else ():
            fields = have.want.fields()
            if kind is not None and fields.get("state") != "stopped" and kind.detached(fields, frozenset({step.uuid})):
                return f"{address} runs and uses it. Stop it (`state: stopped`) and apply; then this is possible."
    return ""


def _perhaps_in_use(step: Step, observed: Observed, recorded: Recorded, kinds: Mapping[str, Kind]) -> str:
    """What a host serves, others use, and one of them may be silent."""
    silent = {name for name, host in observed.hosts.items() if host.state.may_run and not host.state.answers}
    for address, record in recorded.resources.items() if silent else ():
        kind = kinds.get(address.kind)
        for host in silent & record.wants.keys() if kind is not None and kind.guest else ():
            if kind is not None and kind.detached(record.wants[host].fields(), frozenset({step.uuid})):
                return f"{address} uses it, and may run on {host}, which does not answer. Bring that host back first."
    return ""


def _left_behind(step: Step, observed: Observed, blueprint: Blueprint, kinds: Mapping[str, Kind]) -> str:
    """What is of it, and would be made anew where it goes, without what it has."""
    for address, settled in blueprint.resources.items():
        kind = kinds[address.kind]
        if not kind.stateful or kind.moves or step.address not in settled.block.refs:
            continue
        if step.host in observed.haves.get(address, {}):
            return f"{address} is of it and does not move. Destroy that first, or keep what is in it elsewhere."
    return ""


def staying_of(
    plan: Plan, observed: Observed, blueprint: Blueprint, kinds: Mapping[str, Kind]
) -> dict[str, list[Step]]:
    """Migrations that their hosts cannot make, by reason."""
    staying: dict[str, list[Step]] = {}
    for step in plan.steps:
        if step.action is Action.MIGRATE:
            for why in (_unfit(step, observed.hosts, kinds), _left_behind(step, observed, blueprint, kinds)):
                staying.setdefault(why, []).append(step)
    staying.pop("", None)
    return staying


def _unfit(step: Step, hosts: Mapping[str, Host], kinds: Mapping[str, Kind]) -> str:
    source, target = hosts.get(step.host), hosts.get(step.to or step.host)
    if step.have is None or source is None or target is None:
        return ""
    want = step.want or step.have
    return kinds[step.address.kind].stays(step.have.fields(), want.fields(), source, target)


def _way(step: Step) -> str:
    return f"from {step.host} to {step.to}" if step.to else f"within {step.host}"


def _told(why: str, steps: list[Step], plan: Plan) -> Diagnostic:
    first = steps[0]
    names = ", ".join(f"{one.address} {_way(one)}" for one in steps[:NAMED])
    more = f" and {len(steps) - NAMED:,} more" if len(steps) > NAMED else ""
    keep = plan.keeps.get(first.address)
    return CANNOT.at(keep.place if keep else None, f"{first.action} {names}{more}. {why}", address=str(first.address))
