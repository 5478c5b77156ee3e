"""Definitions as they were read before, for a process that reads a spec again and again.

One is taken from the last reading only where all that its reading looked at is the same: what is written, and which
names there are of every kind that it refers to. What has expressions, secrets, members, hooks or a place among others,
and what had a mistake, is read each time. With a memory and without one, the same comes out.
"""

from __future__ import annotations

from collections.abc import Mapping

from stead.core.address import Address
from stead.core.kind import Kind
from stead.core.named import NamedTuple
from stead.language.desired.model import Block, KeptFacts
from stead.language.desired.scope import BlockScope, Keys, Names
from stead.language.document import Node
from stead.language.spec import Definition
from stead.language.spec.files import ParsedFiles
from stead.language.spec.stored import LiteralNodes

NamesOfKinds = tuple[Mapping[str, Keys], ...]
NONE: Mapping[str, Keys] = {}


class ReadDefinition(NamedTuple):
    """What came of one definition, and of what."""

    node: Node  # nodes do not change: the same one says the same
    kind: Kind
    prefix: str
    project_file: bool
    kinds: frozenset[str]  # that it refers to
    names: NamesOfKinds
    block: Block


class SpecMemory:
    """What the last reading leaves to the next. One reads at a time."""

    def __init__(self) -> None:
        self.files, self.nodes = ParsedFiles(), LiteralNodes()
        self.definitions: Mapping[Address, ReadDefinition] = {}
        self.names: Mapping[tuple[str, str], Mapping[str, Keys]] = {}
        self.names_of: Mapping[tuple[str, frozenset[str]], NamesOfKinds] = {}
        self.facts: Mapping[Block, KeptFacts] = {}


class RememberedDefinitions:
    """The memory in one reading: what it gives, and what it is to keep."""

    def __init__(self, memory: SpecMemory, names: Names) -> None:
        """Names that are as they were are the same value, and so comparable at once."""
        self._last = memory
        self._names = {key: _unless_changed(memory.names.get(key, NONE), now) for key, now in names.items()}
        self._names_of: dict[tuple[str, frozenset[str]], NamesOfKinds] = {}
        self._kept: dict[Address, ReadDefinition] = {}

    def known(self, one: Definition, kind: Kind) -> Block | None:
        address = Address(one.project, one.kind, one.name)
        last = self._last.definitions.get(address)
        if (
            last is None
            or last.node is not one.node
            or last.kind is not kind
            or (last.prefix, last.project_file) != (one.environment.prefix, one.environment.project_file)
            or last.names is not self._of(one.project, last.kinds)
        ):
            return None
        self._kept[address] = last
        return last.block

    def keep(self, one: Definition, kind: Kind, block: Block, scope: BlockScope) -> None:
        if (
            scope.computed
            or one.profiles
            or one.environment.included is not None
            or block.settings.hooks
            or one.node.child("depends_on") is not None  # it may be left out, and be none yet
        ):
            return
        kinds = frozenset(scope.referred)
        environment, names = one.environment, self._of(one.project, kinds)
        read = ReadDefinition(one.node, kind, environment.prefix, environment.project_file, kinds, names, block)
        self._kept[Address(one.project, one.kind, one.name)] = read

    def _of(self, project: str, kinds: frozenset[str]) -> NamesOfKinds:
        key = (project, kinds)
        if key not in self._names_of:
            now = tuple([self._names.get((at, kind), NONE) for kind in sorted(kinds) for at in (project, "")])
            last = self._last.names_of.get(key, ())
            same = len(last) == len(now) and all(one is other for one, other in zip(last, now, strict=True))
            self._names_of[key] = last if same else now
        return self._names_of[key]

    def end(self) -> Mapping[Block, KeptFacts]:
        """What is kept, and what was made of it: to be filled in by who makes more."""
        last = self._last
        last.facts = {one.block: last.facts.get(one.block) or KeptFacts() for one in self._kept.values()}
        last.definitions, last.names, last.names_of = self._kept, self._names, self._names_of
        return last.facts


def _unless_changed(last: Mapping[str, Keys], now: Mapping[str, Keys]) -> Mapping[str, Keys]:
    """Also in the order of members, in which lists name all of them."""
    same = last == now and all(
        not isinstance(keys, dict) or [*keys] == [*(last[one] or ())] for one, keys in now.items()
    )
    return last if same else now
