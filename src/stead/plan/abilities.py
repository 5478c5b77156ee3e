"""Steps that hosts cannot do, by the traits that they report: nothing of such a plan is begun."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from stead.core.diagnostics import Code, Diagnostic, Severity
from stead.core.effect import Action
from stead.core.observed import Host
from stead.plan.model import Plan, Step
from stead.site.abilities import lacks, of_step, rehearses

CANNOT = Code("STEAD-X013", "hosts cannot do a step of the plan")
REHEARSED = Code("STEAD-X014", "only simulated hosts support a step of the plan", Severity.WARNING)

NAMED = 3  # of the steps that are told of; the plan shows all


def unable(plan: Plan, hosts: Mapping[str, Host]) -> list[Diagnostic]:
    """One diagnostic for each action, however many steps have it."""
    lacking: dict[tuple[Code, Action], list[Step]] = {}
    for step in plan.steps:
        if of_step(step.action).can:
            continue
        traits = {trait for name in (step.host, step.to) if name in hosts for trait in hosts[name].traits}
        if lacks(step.action) in traits:
            lacking.setdefault((CANNOT, step.action), []).append(step)
        elif rehearses(step.action) in traits:
            lacking.setdefault((REHEARSED, step.action), []).append(step)
    return [*_told(lacking, plan)]


def _told(lacking: Mapping[tuple[Code, Action], Sequence[Step]], plan: Plan) -> Iterator[Diagnostic]:
    for (code, action), steps in lacking.items():
        first = steps[0]
        names = ", ".join(f"{one.address} on {one.host}" for one in steps[:NAMED])
        more = f" and {len(steps) - NAMED:,} more" if len(steps) > NAMED else ""
        real = " Simulated hosts do it; for real hosts the plan is refused." if code is REHEARSED else ""
        keep = plan.keeps.get(first.address)
        text = f"{action} of {names}{more}.{real} {of_step(action).text}"
        yield code.at(keep.place if keep else None, text, address=str(first.address))
