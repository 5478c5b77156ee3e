"""Members of a counted definition that are disturbed a few at a time: which together, and that each batch waits.

A batch is nothing but edges: its steps come after all of the batch before. A step that starts something is done when
that is ready, so a batch begins when the one before is ready, and is left out when something of that one failed. Where
a failure is not to stop it, the batches are waves of their own: those wait, and do not ask how it went. So they are
where apply is to pause between them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from stead.blueprint.model import Blueprint
from stead.core.address import Address, order
from stead.core.effect import Action, Disruption
from stead.core.kind import Kind
from stead.core.named import NamedTuple
from stead.core.recorded import Record
from stead.diff import Change
from stead.diff.model import Note
from stead.diff.present import NOT_READY
from stead.language.desired.model import Rollout
from stead.plan.order import Ordered, sort


class Rolling(NamedTuple):
    """One definition: positions of the changes of each batch."""

    block: Address
    members: int
    size: int
    batches: list[list[int]]
    rollout: Rollout
    awaited: str


def roll(
    ordered: Ordered, blueprint: Blueprint, records: Mapping[Address, Record], kinds: Mapping[str, Kind]
) -> tuple[Ordered, list[Note]]:
    notes = []
    apart: set[tuple[int, int]] = set()
    loose: set[tuple[int, int]] = set()
    changes, before = ordered.changes, [set(some) for some in ordered.after]
    rolled: list[Rolling] = []
    for one in _rollings(changes, blueprint, records, kinds):
        added = {(later, earlier) for first, then in pairwise(one.batches) for later in then for earlier in first}
        trial = [set(some) for some in before]
        for later, earlier in added:
            trial[later].add(earlier)
        if sort(changes, trial)[1]:
            notes.append(Note("not-rolled", _all_at_once(one), str(one.block)))
            continue
        before = trial
        rolled.append(one)
        loose |= set() if one.rollout.stop_on_failure else added
        apart |= added if one.rollout.wait or not one.rollout.stop_on_failure else set()
        notes.append(Note("rollout", _told(one), str(one.block)))
    return (_paused(sort(changes, before, apart, loose)[0], changes, rolled) if notes else ordered), notes


def _paused(ordered: Ordered, changes: Sequence[Change], rolled: Sequence[Rolling]) -> Ordered:
    """Those with which a batch begins say how long apply waits first."""
    slow = [one for one in rolled if one.rollout.wait]
    now = {id(change): at for at, change in enumerate(ordered.changes)} if slow else {}
    paused = list(ordered.changes)
    for one in slow:
        for batch in one.batches[1:]:
            places = [now[id(changes[position])] for position in batch]
            first = min(ordered.waves[at] for at in places)
            for at in places:
                if ordered.waves[at] == first:
                    paused[at] = paused[at]._replace(pause=one.rollout.wait)
    return ordered._replace(changes=paused)


def _rollings(
    changes: Sequence[Change], blueprint: Blueprint, records: Mapping[Address, Record], kinds: Mapping[str, Kind]
) -> Iterator[Rolling]:
    found: dict[Address, dict[Address, list[int]]] = {}
    for position, change in enumerate(changes):
        settled = blueprint.resources.get(change.address)
        if settled is None or settled.block.settings.rollout is None or change.frees or change.address not in records:
            continue
        found.setdefault(change.address.block, {}).setdefault(change.address, []).append(position)
    for block, members in found.items():
        disturbed = {
            address: some for address, some in members.items() if any(_disturbs(changes[position]) for position in some)
        }
        # Those that are not there come first: with others beside them, more would be away than may be.
        ranked = sorted(disturbed, key=lambda one: (not _is_away(changes, disturbed[one]), order(one)))
        if not ranked:
            continue
        settled = blueprint.resources[ranked[0]]
        rollout = settled.block.settings.rollout
        assert rollout is not None  # noqa: S101 - only those were gathered
        size = rollout.size(sum(1 for address in blueprint.resources if address.block == block))
        batches = [[at for one in batch for at in disturbed[one]] for batch in _chunks(ranked, size)]
        if len(batches) > 1:
            awaited = kinds[block.kind].awaited(settled.block)
            yield Rolling(block, len(ranked), size, batches, rollout, awaited)


def _chunks(ranked: Sequence[Address], size: int) -> Iterator[Sequence[Address]]:
    return (ranked[at : at + size] for at in range(0, len(ranked), size))


def _disturbs(change: Change) -> bool:
    """A new member has no record, so what is created here takes the place of one, or brings it back."""
    is_moved = change.action in (Action.CREATE, Action.DESTROY)
    return is_moved or change.disturbs.rank >= Disruption.MIGRATE.rank or NOT_READY[0] in change.reasons


def _is_away(changes: Sequence[Change], positions: Sequence[int]) -> bool:
    return all(changes[at].action is Action.CREATE or NOT_READY[0] in changes[at].reasons for at in positions)


def _told(one: Rolling) -> str:
    begins = f"is ready ({one.awaited})" if one.awaited else "is done"
    begins = f"{begins} and {one.rollout.wait} s have passed" if one.rollout.wait else begins
    ends = "it stops when one fails" if one.rollout.stop_on_failure else "it goes on when one fails"
    return (
        f"{one.members} members of {one.block} in {len(one.batches)} batches of {one.size}, each when the one before "
        f"{begins}; {ends}."
    )


def _all_at_once(one: Rolling) -> str:
    return (
        f"{one.members} members of {one.block} are not changed in batches: they let go of something that is made anew, "
        "and all of them have to before it is."
    )
