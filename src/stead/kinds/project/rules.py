"""Whether a project keeps to its quota. Counts what the spec asks for, by what the kinds say each thing takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from stead.address import Address
from stead.desired import Block, Desired
from stead.diagnostics import Code, Diagnostic, Severity
from stead.kinds.amounts import readable
from stead.kinds.latest import latest
from stead.kinds.project.model import Project, Quota

EXCEEDED = Code("STEAD-Q001", "the quota is exceeded")
PERSON_TWICE = Code("STEAD-Q002", "a member is named twice", Severity.WARNING)

SIZES = frozenset({"memory", "storage"})


class Use(NamedTuple):
    amount: int
    by: Address
    each: int
    members: int


def _used(desired: Desired) -> Mapping[str, Mapping[str, list[Use]]]:
    """Of each project and each resource: who takes how much."""
    from stead.kinds import kinds

    known = kinds()
    found: dict[str, dict[str, list[Use]]] = {}
    for block in desired.blocks:
        if not block.project or block.kind not in known:
            continue
        of_project = found.setdefault(block.project, {})
        count = len(block.members)
        for resource, each in known[block.kind].usage(block, desired).items():
            if each:
                of_project.setdefault(resource, []).append(Use(each * count, block.members[0].block, each, count))
    return found


used = latest(_used)


def check(block: Block, desired: Desired) -> Iterator[Diagnostic]:
    model: Project = block.model
    seen = set()
    for at, person in enumerate(model.members):
        if person.name in seen:
            text = f"{person.name} is a member already. Leave one of the two out."
            yield PERSON_TWICE.at(block.place(f"members.{at}"), text)
        seen.add(person.name)
    uses = used(desired).get(block.name, {})
    for resource in Quota.__slots__:
        limit = getattr(model.quota, resource)
        total = sum(use.amount for use in uses.get(resource, ()))
        if limit is not None and total > limit:
            yield EXCEEDED.at(block.place(f"quota.{resource}"), _exceeded(block.name, resource, limit, uses[resource]))


# Who takes most is who to talk to; a longer list would not be read.
_NAMED = 3


def _exceeded(project: str, resource: str, limit: int, uses: list[Use]) -> str:
    total = sum(use.amount for use in uses)
    most = sorted(uses, key=lambda use: (-use.amount, str(use.by)))
    parts = [
        f"{use.by} {_amount(resource, use.amount)}"
        + (f" ({use.members} x {_amount(resource, use.each)})" if use.members > 1 else "")
        for use in most[:_NAMED]
    ]
    if len(most) > _NAMED:
        parts.append(f"{len(most) - _NAMED} others {_amount(resource, sum(use.amount for use in most[_NAMED:]))}")
    over = _amount(resource, total - limit)
    return (
        f"{project} asks for {_amount(resource, total)} of {resource.replace('_', ' ')} and may have "
        f"{_amount(resource, limit)}: "
        f"{over} too much. Most is taken by {'; '.join(parts)}. Ask for less, or raise the quota."
    )


def _how(resource: str, use: Use) -> str:
    return f" ({use.members} x {_amount(resource, use.each)})" if use.members > 1 else ""


def _amount(resource: str, amount: int) -> str:
    return readable(amount) if resource in SIZES else str(amount)
