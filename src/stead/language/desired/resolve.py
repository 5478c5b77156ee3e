"""Spec to Desired: counts, models, references, cycles, the kinds' rules and quotas."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from stead.core.address import Address, order
from stead.core.diagnostics import Diagnostic, Place, has_errors, in_order
from stead.core.kind import Scope
from stead.core.value import replace
from stead.language import document
from stead.language.desired import exports, results, trust
from stead.language.desired.composing import Composing, Defaults, told_of
from stead.language.desired.counting import ONE, Counted, counted, few
from stead.language.desired.cycles import cycles
from stead.language.desired.digest import digest_of
from stead.language.desired.model import Block, Desired, Export, KeptFacts, Settings
from stead.language.desired.quota import PROJECTS, over_quota, too_many, with_default
from stead.language.desired.remembered import RememberedDefinitions, SpecMemory
from stead.language.desired.renames import Renames
from stead.language.desired.scope import BlockScope, Keys
from stead.language.desired.settings import SettingsReader
from stead.language.desired.site_section import read_site
from stead.language.desired.variables import Variables
from stead.language.expressions import new_budget, revealed
from stead.language.reading import Reading, read_model
from stead.language.reading.readers import FAILED
from stead.language.spec import Definition, Spec, VariableScope
from stead.language.spec.grants import NOTHING
from stead.language.spec.quota import quota_model
from stead.language.spec.settings import COUNTED, SETTINGS
from stead.language.vault import Vault


def resolve(
    spec: Spec, *, key: bytes, alone: bool = False, memory: SpecMemory | None = None
) -> tuple[Desired, list[Diagnostic]]:
    """`key` seals secrets in the digest, so that it changes with them and does not give them away. `alone`: these are a
    project's files without the site's, so names that the project has not may be the site's. `memory` is of a process
    that reads the whole of a spec again and again.
    """
    new_budget()
    resolving = _Resolving(spec, key, alone, memory)
    desired = resolving.desired()
    found = resolving.found
    whole = not has_errors(found)
    trust.playbooks(desired, spec.site, spec.owned, found)
    found += trust.beyond(desired, resolving.grants, resolving.kept, alone=alone)
    if whole:  # rules look at whole blocks: they would only repeat what is known to be missing
        desired = resolving.followed(desired)
        for block in desired.blocks:
            found += resolving.placed(resolving.kinds[block.kind].check(block, desired), block)
        found += over_quota(desired, resolving.kinds)
    if not spec.whole:  # a file that could not be read may well have what is missing
        found = [one for one in found if not one.code.startswith("STEAD-R")]
    return desired, in_order(found)


class _Resolving:
    def __init__(self, spec: Spec, key: bytes, alone: bool, memory: SpecMemory | None) -> None:
        self.spec, self.key, self.alone = spec, key, alone
        self.found: list[Diagnostic] = []
        self.kinds = spec.kinds
        self.plurals = frozenset(self.kinds)
        shared = frozenset(plural for plural, kind in self.kinds.items() if kind.scope is Scope.EITHER)
        self.assumed = shared if alone else frozenset()
        self.vaults = {"": Vault(spec.vault_secrets, alone=alone or spec.blind)}
        self._variables: dict[int, tuple[Variables, Mapping[str, Any]]] = {}
        self._defined: dict[Block, Definition] = {}
        self.empty: dict[Address, bool] = {}
        self.kept: Mapping[Block, KeptFacts] = {}
        self.absent: dict[Address, Place] = {}
        self.names: dict[tuple[str, str], dict[str, Keys]] = {}
        self.exported: exports.Exported = {}
        self.variables = self.variables_of(spec.environment)[0].values
        self.site = read_site(spec.site, Reading(self.scope(spec.environment)), self.found)
        self.grants = trust.read_grants(spec.grants, self.scope(spec.environment), self.found)
        for name, folder in spec.uploads.items():
            given = self.grants.get(name, NOTHING)
            self.grants[name] = replace(given, image_sources=(*given.image_sources, folder))
        composing = Composing(spec, self.scope, Defaults(self.site.defaults, self.kinds), alone=alone)
        self.exports = {key: said for key, said in spec.exports.items() if composing.there(said[1])}
        self.exported = exports.known(self.exports)
        self.definitions = list(composing.definitions())
        self.absent.update(composing.absent)
        self.found += composing.found
        self.counts = [self.count(one) for one in self.definitions]
        for one, count in zip(self.definitions, self.counts, strict=True):
            self.names.setdefault((one.project, one.kind), {})[one.name] = count.keys
        self.remembered = RememberedDefinitions(memory, self.names) if memory is not None else None
        self.found += trust.for_nobody(spec.grants, self.grants, self.written())
        self.settings = SettingsReader(
            spec=spec, site=self.site, grants=self.grants, names=self.names, absent=self.absent, alone=alone
        )

    def written(self) -> Mapping[tuple[str, str], set[str]]:
        """Names, also of what is left out."""
        names = {key: set(known) for key, known in self.names.items()}
        for one in self.absent:
            names.setdefault(one[:2], set()).add(one.name)
        return names

    def variables_of(self, environment: VariableScope) -> tuple[Variables, Mapping[str, Any]]:
        """Projects share the spec's variables; each inclusion of a part has its own. With secrets closed, and open."""
        known = id(environment.declared)
        if known not in self._variables:
            above = None
            for given in environment.given.values():
                if given.environment is not None:
                    of_spec = self.variables_of(given.environment)[0]
                    vault = self.vault(given.environment)
                    above = Variables(given.environment, vault, self.key, self.found, of_spec.above)
                    above.values = of_spec.values
                    break
            variables = Variables(environment, self.vault(environment), self.key, self.found, above)
            variables.all()
            self._variables[known] = (variables, revealed(variables.values))
        return self._variables[known]

    def vault(self, environment: VariableScope) -> Vault:
        project = environment.project if environment.project_file else ""
        if project not in self.vaults:
            ids = self.grants.get(project, NOTHING).vault_ids
            own = [one for one in self.spec.vault_secrets if one.name in ids]
            self.vaults[project] = Vault(own, project=project, alone=self.alone or self.spec.blind)
        return self.vaults[project]

    def scope(self, environment: VariableScope) -> BlockScope:
        variables, opened = self.variables_of(environment)
        return BlockScope(
            project=environment.project,
            prefix=environment.prefix,
            names=self.names,
            absent=self.absent,
            kinds=self.plurals,
            variables=variables.values,
            opened=opened,
            vault=self.vault(environment),
            project_file=environment.project_file,
            assumed=self.assumed,
            exported=self.exported,
            limits=partial(quota_model, self.kinds),
        )

    def placed(self, found: Iterable[Diagnostic], block: Block) -> Iterable[Diagnostic]:
        one = self._defined.get(block)
        return found if one is None else self.told(found, one)

    def count(self, one: Definition) -> Counted:
        if one.node.child("count") is None and one.node.child("for_each") is None:
            return ONE
        reading = Reading(self.scope(one.environment), str(Address(one.project, one.kind, one.name)))
        count = counted(one.node, one.kind, may=self.kinds[one.kind].counted, reading=reading)
        self.found += self.told(reading.found, one)
        return count

    def told(self, found: Iterable[Diagnostic], one: Definition) -> Sequence[Diagnostic]:
        return told_inside(told_of(found, one), one.environment)

    def desired(self) -> Desired:
        blocks: list[Block] = []
        defined = list(zip(self.definitions, self.counts, strict=True))
        for one, count in defined:
            if one.kind == PROJECTS:
                blocks += [with_default(block, self.site.quota) for block in self.blocks(one, count)]
        quotas = {block.name: block for block in blocks}
        over = too_many(quotas, [(one, count.keys) for one, count in defined])
        self.found += over.values()
        for one, count in defined:
            if one.kind != PROJECTS:  # of what is far too many, one is made: it may have other mistakes
                blocks += self.blocks(one, few(count) if (one.project, one.kind) in over else count)
        blocks.sort(key=lambda block: order(block.members[0]))
        by_address: dict[Address, Block] = {}
        for block in blocks:
            by_address.setdefault(block.members[0].block, block)
            by_address.update(dict.fromkeys(block.members, block))
        self.found += cycles(blocks)
        outputs = [
            made for name, said in self.spec.outputs.items() for made in self.outside(results.output, name, *said)
        ]
        checks = [made for name, said in self.spec.checks.items() for made in self.outside(results.check, name, *said)]
        exported = self.made_exports()
        renames = Renames(self.kinds, by_address, self.grants, absent=self.absent, alone=self.alone)
        moved, forget = renames.moved(self.spec.moved), renames.forgotten(self.spec.forget)
        moved |= renames.passed(self.spec.passed)
        self.found += renames.found
        self.kept = self.remembered.end() if self.remembered else {}
        said = (outputs, checks, exported.values()), (moved, forget), self.kept
        return Desired(
            site=self.site,
            kinds=self.kinds,
            grants=self.grants,
            files=self.spec.files,
            owned=self.spec.owned,
            blocks=tuple(blocks),
            by_address=by_address,
            empty=self.empty,
            absent=self.absent,
            variables=self.variables,
            outputs=tuple(outputs),
            checks=tuple(checks),
            exports=exported,
            moved=moved,
            forget=forget,
            digest="" if has_errors(self.found) else digest_of(self.key, self.site, blocks, *said),
        )

    def followed(self, desired: Desired) -> Desired:
        """With references to what a kind says must come first, beside those that the user wrote."""
        changed: dict[Block, Block] = {}
        for block in desired.blocks:
            more = set(self.kinds[block.kind].implicit_refs(block, desired)) - set(block.refs)
            if more:
                changed[block] = replace(block, refs=tuple(sorted({*block.refs, *more}, key=order)))
        if not changed:
            return desired
        self._defined.update((new, self._defined[old]) for old, new in changed.items())
        return replace(
            desired,
            blocks=tuple([changed.get(block, block) for block in desired.blocks]),
            by_address={address: changed.get(block, block) for address, block in desired.by_address.items()},
        )

    def made_exports(self) -> dict[tuple[str, str], Export]:
        made: dict[tuple[str, str], Export] = {}
        for key, (node, environment) in self.exports.items():
            scope = self.scope(environment)
            scope.outside = True
            reading = Reading(scope, f"{key[0]}/exports/{key[1]}")
            made.update((key, one) for one in exports.read(key, node, environment, reading))
            self.found += told_inside(reading.found, environment)
        if not self.alone:
            self.found += exports.for_nobody(made, self.written().get(("", PROJECTS), set()))
        return made

    def outside(self, read: Any, name: str, node: document.Node, environment: VariableScope) -> list[Any]:
        scope = self.scope(environment)
        scope.outside = True
        reading = Reading(scope, name)
        made = list(read(name, node, reading))
        self.found += told_inside(reading.found, environment)
        return made

    def blocks(self, one: Definition, count: Counted) -> Iterator[Block]:
        known = self.remembered.known(one, self.kinds[one.kind]) if self.remembered and count is ONE else None
        if known is None:
            yield from self.read_blocks(one, count)
        else:
            self._defined[known] = one
            yield known

    def read_blocks(self, one: Definition, count: Counted) -> Iterator[Block]:
        address = Address(one.project, one.kind, one.name)
        members = (address,) if count.keys is None else tuple([address._replace(key=key) for key in count.keys])
        scope = self.scope(one.environment)
        scope.each, scope.index = count.each, members[0].key if members else 0
        if not members:
            self.empty[address] = count.each is None
            if count.each is None:  # there are none now; what is written of them can be wrong all the same
                self.read(one, address, scope)
            return
        before = len(self.found)
        first = self.read(one, address, scope)
        if not scope.varies:
            if first is not None:
                block = self.block(one, first, members, count)
                if self.remembered and count is ONE and len(self.found) == before:
                    self.remembered.keep(one, self.kinds[one.kind], block, scope)
                yield block
            return
        if first is not None:
            yield self.block(one, first, members[:1], count)
        for member in members[1:]:
            scope.index = member.key
            other = self.read(one, member, scope)
            if other is not None:
                yield self.block(one, other, (member,), count)

    def read(self, one: Definition, address: Address, scope: BlockScope) -> tuple[Any, Settings, Reading] | None:
        kind = self.kinds[one.kind]
        settings, told = self.settings.read(one, address, scope)
        self.found += self.told(told, one)
        scope.labels = settings.labels if settings is not None else {}
        reading = Reading(scope, str(address))
        others = SETTINGS | COUNTED if kind.counted else SETTINGS
        model = read_model(kind.model, one.node, reading, others=others)
        self.found += self.told(reading.found, one)
        return None if model is FAILED or settings is None else (model, settings, reading)

    def block(
        self, one: Definition, read: tuple[Any, Settings, Reading], members: tuple[Address, ...], count: Counted
    ) -> Block:
        model, settings, reading = read
        refs = set(reading.refs)
        if one.project:
            refs.add(Address("", "projects", one.project))
        block = Block(
            kind=one.kind,
            project=one.project,
            name=one.name,
            model=model,
            settings=settings,
            node=one.node,
            members=members,
            refs=tuple(sorted(refs, key=order)),
            each=count.each,
            late=tuple(reading.late),
            project_file=one.environment.project_file,
        )
        self._defined[block] = one
        return block


def told_inside(found: Sequence[Diagnostic], environment: VariableScope) -> Sequence[Diagnostic]:
    """A mistake in a part stands there once, and may be made at each of its inclusions."""
    if environment.included is None:
        return found
    return [replace(one, detail=f"{one.detail}\nThe part is included at {environment.included}.") for one in found]
