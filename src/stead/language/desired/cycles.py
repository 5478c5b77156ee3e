"""Finds references that come round, and prints the round."""

from __future__ import annotations

from collections.abc import Sequence

from stead.core.address import Address
from stead.core.diagnostics import Code, Diagnostic
from stead.language.desired.model import Block

CYCLE = Code("STEAD-R003", "resources depend on each other")


def cycles(blocks: Sequence[Block]) -> list[Diagnostic]:
    """One diagnostic for each round. By a walk with a stack of its own: chains may be long."""
    named = _named(blocks)
    state: dict[Block, int] = {}  # 1 while its own needs are walked, 2 when they are done
    found = []
    for start in blocks:
        if start in state:
            continue
        path: list[Block] = []
        stack: list[tuple[Block, bool]] = [(start, False)]
        while stack:
            block, leaving = stack.pop()
            if leaving:
                state[block] = 2
                path.pop()
            elif state.get(block) == 1:
                found.append(_told(path[path.index(block) :]))
            elif block not in state:
                state[block] = 1
                path.append(block)
                stack.append((block, True))
                stack += [(below, False) for below in _needs(block, named) if state.get(below) != 2]
    return found


def _named(blocks: Sequence[Block]) -> dict[Address, list[Block]]:
    """A definition's own address means all of its blocks, a member's the one that it is in."""
    named: dict[Address, list[Block]] = {}
    for block in blocks:
        named.setdefault(block.members[0].block, []).append(block)
    for block in blocks:
        if block.members[0].key is not None:
            named.update((member, [block]) for member in block.members)
    return named


def _needs(block: Block, named: dict[Address, list[Block]]) -> list[Block]:
    return [one for ref in (*block.refs, *block.settings.depends_on) for one in named.get(ref, ())]


def _told(ring: list[Block]) -> Diagnostic:
    names = [str(block.members[0] if len(block.members) == 1 else block.members[0].block) for block in ring]
    text = " needs ".join([*names, names[0]]) + ". None of them can be created first. Remove one of the references."
    return CYCLE.at(ring[0].place(), text, address=names[0])
