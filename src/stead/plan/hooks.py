"""Which playbooks of the site's run around which steps. Runs none, and reads no file: digests are given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stead.core.address import Address
from stead.core.effect import AS_IT_IS
from stead.language.desired import Block, Hook
from stead.plan.model import Plan, PlannedHook, Step


def hooks_of(plan: Plan, blocks: Iterable[Block], digests: Mapping[str, str]) -> tuple[PlannedHook, ...]:
    """A hook runs once for a resource, not once for each host: with the step where it lives, or else its first."""
    hooks = _by_address(blocks)
    chosen: dict[Address, Step] = {}
    for step in plan.steps if hooks else ():
        if not _mine(hooks, step) or not step.host or step.action in AS_IT_IS:
            continue
        keep = plan.keeps.get(step.address)
        if step.address not in chosen or (keep is not None and step.host == keep.host):
            chosen[step.address] = step
    return tuple(
        PlannedHook(step.number, one.playbook, one.when, digests.get(one.playbook, ""), _plain(one.variables))
        for step in sorted(chosen.values(), key=lambda step: step.number)
        for one in _mine(hooks, step)
        if not one.actions or str(step.action) in one.actions
    )


def _by_address(blocks: Iterable[Block]) -> Mapping[Address, Sequence[Hook]]:
    """By definition, or by member where they differ."""
    return {
        block.members[0] if len(block.members) == 1 else block.members[0].block: block.settings.hooks
        for block in blocks
        if block.settings.hooks and block.members
    }


def _plain(value: Any) -> Any:
    """As JSON has it: it stands in plan files."""
    match value:
        case Mapping():
            return {name: _plain(one) for name, one in value.items()}
        case list() | tuple():
            return [_plain(one) for one in value]
        case _:
            return value


def _mine(hooks: Mapping[Address, Sequence[Hook]], step: Step) -> Sequence[Hook]:
    return hooks.get(step.address) or hooks.get(step.address.block) or ()
