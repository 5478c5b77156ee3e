"""States that people gave by hand, in what placement is asked and in what resources are to be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stead.core.address import Address
from stead.core.by_hand import SHELVED, STATE, read
from stead.core.kind import Kind
from stead.core.needs import Demand
from stead.core.recorded import Record
from stead.core.value import replace
from stead.language.desired import Block, Desired

_SHELVED = f'"{SHELVED}":true'  # in the canonical text of a want
_DISK = "disk:"


def _states(records: Mapping[Address, Record], given: Mapping[Address, str]) -> Mapping[Address, str]:
    """What a person gave by hand stays until a person takes it back."""
    before = {one: text for one, record in records.items() if (text := record.leases.get(STATE))}
    return {one: text for one, text in {**before, **given}.items() if text}


def with_states(
    chosen: Mapping[Address, Mapping[str, str]], records: Mapping[Address, Record], given: Mapping[Address, str]
) -> Mapping[Address, Mapping[str, str]]:
    own = {one: {**chosen[one], STATE: text} for one, text in _states(records, given).items() if one in chosen}
    return {**chosen, **own} if own else chosen


def as_given(desired: Desired, records: Mapping[Address, Record], given: Mapping[Address, str]) -> Desired:
    """With members that have a state by hand apart: what a host must have for them may be another."""
    states = _states(records, given)
    if not states:
        return desired
    blocks = tuple(part for block in desired.blocks for part in _apart(block, states))
    return replace(desired, blocks=blocks)


def _apart(block: Block, states: Mapping[Address, str]) -> Iterator[Block]:
    given = {one: read(states[one]).state for one in block.members if one in states}
    if not given:
        yield block
        return
    by_state: dict[str, list[Address]] = {}
    for one in block.members:
        by_state.setdefault(given.get(one, block.model.state), []).append(one)
    for state, members in by_state.items():
        yield replace(block, members=tuple(members), model=replace(block.model, **{STATE: state}))


def returns(record: Record | None, demand: Demand, host: str, kind: Kind) -> bool:
    """Whether it was shelved, and is to have room again, which others may have by now."""
    want = record.wants.get(host) if record is not None else None
    if want is None or _SHELVED not in want.body.text:
        return False
    has = {name for _, name, _ in kind.host_needs(want.body.fields()).amounts}
    return not {name for name in demand.amounts if not name.startswith(_DISK)} <= has
