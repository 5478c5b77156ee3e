"""Spec to Desired: counts, models, references, cycles, the kinds' rules and quotas."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Any

from stead import document
from stead.address import NAME, Address, order, parse
from stead.desired.cycles import cycles
from stead.desired.model import Block, Check, Desired, Hook, Output, Settings, Site
from stead.desired.quota import over_quota
from stead.desired.scope import BlockScope, Keys
from stead.desired.variables import Variables
from stead.diagnostics import Code, Diagnostic, in_order
from stead.document import Node, Scalar
from stead.fields import Anything, Expression, Secret
from stead.kind import Kind
from stead.kinds import kinds
from stead.reading import MISSING, OUT_OF_RANGE, WRONG_FORM, WRONG_TYPE, Reading, nearest, read_model, reader_of
from stead.reading.context import kind_of
from stead.reading.models import FAILED, Read
from stead.spec import Definition, Environment, Spec
from stead.spec.settings import COUNTED, SETTINGS, Common
from stead.value import positional
from stead.vault import Vault
from stead.want import canonical, digest

UNKNOWN_ADDRESS = Code("STEAD-R010", "an address names nothing")
MOVED_WRONG = Code("STEAD-R011", "`moved` must lead from what is gone to what is there")
NOT_COUNTED = Code("STEAD-L026", "this kind has no count")

MOST = 1_000_000  # members of one block; a typing mistake, beyond


def resolve(spec: Spec, *, key: bytes) -> tuple[Desired, list[Diagnostic]]:
    """`key` seals secrets in the digest, so that it changes with them and does not give them away."""
    resolving = _Resolving(spec, key)
    desired = resolving.desired()
    found = [*resolving.found]
    if not found:  # rules look at whole blocks: they would only repeat what is known to be missing
        for block in desired.blocks:
            found += resolving.kinds[block.kind].check(block, desired)
        found += over_quota(desired, resolving.kinds)
    return desired, in_order(found)


@positional
class Counted:
    """How many members a definition has: none said, a count, or the entries of for_each."""

    keys: Keys
    each: Mapping[str, Any] | None = None


ONE = Counted(None)


class _Resolving:
    def __init__(self, spec: Spec, key: bytes) -> None:
        self.spec, self.key = spec, key
        self.found: list[Diagnostic] = []
        self.kinds: Mapping[str, Kind] = kinds()
        self.plurals = frozenset(self.kinds)
        self.vault = Vault(spec.vault_secrets)
        self._variables: dict[int, tuple[Environment, dict[str, Any]]] = {}
        self._by_environment: dict[int, Variables] = {}
        self.variables = self.variables_of(spec.environment)
        self.counts = [self.counted(one) for one in spec.definitions]
        self.names: dict[tuple[str, str], dict[str, Keys]] = {}
        for one, count in zip(spec.definitions, self.counts, strict=True):
            self.names.setdefault((one.project, one.kind), {})[one.name] = count.keys
        self.secrets: list[Secret] = []

    def variables_of(self, environment: Environment) -> dict[str, Any]:
        """Projects share the spec's variables; each inclusion of a part has its own."""
        known = id(environment.declared)
        if known not in self._variables:
            above = self._by_environment.get(id(self.spec.environment.declared))
            for given in environment.given.values():
                if given.environment is not None:
                    self.variables_of(given.environment)
                    above = self._by_environment[id(given.environment.declared)]
            variables = Variables(environment, self.vault, self.found, above)
            self._by_environment[known] = variables
            self._variables[known] = (environment, variables.all())
        return self._variables[known][1]

    def scope(self, environment: Environment) -> BlockScope:
        return BlockScope(
            project=environment.project,
            prefix=environment.prefix,
            names=self.names,
            kinds=self.plurals,
            variables=self.variables_of(environment),
            vault=self.vault,
        )

    def counted(self, one: Definition) -> Counted:
        count, for_each = one.node.child("count"), one.node.child("for_each")
        if count is None and for_each is None:
            return ONE
        node = count or for_each
        assert node is not None  # noqa: S101 - one of them is there
        if not self.kinds[one.kind].counted:
            self.found.append(
                NOT_COUNTED.at(node.place, f"{one.kind} have neither count nor for_each. Write each out.")
            )
            return ONE
        if count is not None and for_each is not None:
            self.found.append(NOT_COUNTED.at(for_each.place, "count and for_each exclude each other. Keep one."))
        self.names = {}
        reading = Reading(self.scope(one.environment), str(Address(one.project, one.kind, one.name)))
        value = reading.early(node)
        self.found += reading.found
        if value is None or isinstance(value, Secret):
            return ONE
        return self._number(value) if count is not None else self._entries(value)

    def _number(self, node: Node) -> Counted:
        value = node.value if isinstance(node, Scalar) else None
        if not isinstance(value, int) or isinstance(value, bool):
            self.found.append(WRONG_TYPE.at(node.place, f"Here stands {kind_of(node)}; count is a whole number."))
            return ONE
        if not 0 <= value <= MOST:
            self.found.append(OUT_OF_RANGE.at(node.place, f"count is {value}; it may be 0 to {MOST:,}."))
            return ONE
        return Counted(tuple(range(value)))

    def _entries(self, node: Node) -> Counted:
        match node:
            case document.Mapping():
                each = {key: document.plain(below) for key, below in node.entries.items()}
            case document.Sequence():
                each = {str(document.plain(item)): document.plain(item) for item in node.items}
                if len(each) < len(node.items):
                    self.found.append(WRONG_FORM.at(node.place, "for_each has a value twice. Each names one member."))
            case _:
                text = f"Here stands {kind_of(node)}; for_each is a list of names, or a map with names as keys."
                self.found.append(WRONG_TYPE.at(node.place, text))
                return ONE
        bad = [name for name in each if not NAME.fullmatch(name)]
        for name in bad:
            text = (
                f"{name!r} cannot be a key of for_each: lower case letters, digits and dashes, beginning with a letter."
            )
            self.found.append(WRONG_FORM.at(node.place, text))
        return ONE if bad else Counted(tuple(sorted(each)), MappingProxyType(each))

    def desired(self) -> Desired:
        blocks: list[Block] = []
        for one, count in zip(self.spec.definitions, self.counts, strict=True):
            blocks += self.blocks(one, count)
        blocks.sort(key=lambda block: order(block.members[0]))
        by_address: dict[Address, Block] = {}
        for block in blocks:
            by_address.setdefault(block.members[0].block, block)
            by_address.update(dict.fromkeys(block.members, block))
        self.found += cycles(blocks, by_address)
        site = self.site()
        outputs, checks = tuple(self.outputs()), tuple(self.checks())
        moved = dict(self.moved(by_address))
        forget = frozenset(self.forgotten(by_address))
        return Desired(
            site=site,
            blocks=tuple(blocks),
            by_address=by_address,
            variables=self.variables,
            outputs=outputs,
            checks=checks,
            moved=moved,
            forget=forget,
            digest=self.digest(site, blocks, (outputs, checks, sorted(moved.items()), sorted(forget, key=order))),
        )

    def blocks(self, one: Definition, count: Counted) -> Iterator[Block]:
        address = Address(one.project, one.kind, one.name)
        members = (address,) if count.keys is None else tuple([address._replace(key=key) for key in count.keys])
        if not members:
            return
        scope = self.scope(one.environment)
        scope.each, scope.index = count.each, members[0].key
        first = self.read(one, address, scope)
        if not scope.varies:
            if first is not None:
                yield self.block(one, first, members, count)
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
        settings = self.settings(one, address, scope)
        if settings is not None:
            scope.labels = settings.labels
        reading = Reading(scope, str(address))
        others = SETTINGS | COUNTED if kind.counted else SETTINGS
        model = read_model(kind.model, one.node, reading, others=others)
        self.found += reading.found
        self.secrets += scope.secrets
        return None if model is FAILED or settings is None else (model, settings, reading)

    def block(
        self, one: Definition, read: tuple[Any, Settings, Reading], members: tuple[Address, ...], count: Counted
    ) -> Block:
        model, settings, reading = read
        refs = set(reading.refs)
        if one.project:
            refs.add(Address("", "projects", one.project))
        return Block(
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
        )

    def settings(self, one: Definition, address: Address, scope: BlockScope) -> Settings | None:
        node = one.node
        if not isinstance(node, document.Mapping) or not SETTINGS & node.entries.keys():
            return _PLAIN
        own = document.Mapping(node.file, node.line, node.column)
        own.entries = {word: below for word, below in node.entries.items() if word in SETTINGS}
        own.keys = node.keys
        reading = Reading(scope, str(address))
        common: Common | Any = read_model(Common, own, reading)
        self.found += reading.found
        if common is FAILED:
            return None
        depends = [self.depends(text, index, one) for index, text in enumerate(common.depends_on)]
        return Settings(
            labels=common.labels,
            protect=common.protect,
            ignore=common.ignore,
            depends_on=tuple(found for found in depends if found is not None),
            replace_when=common.replace_when,
            create_before_destroy=common.create_before_destroy,
            hooks=tuple(
                Hook(playbook=h.playbook, when=h.when, actions=frozenset(h.actions), variables=h.vars)
                for h in common.hooks
            ),
        )

    def depends(self, text: str, index: int, one: Definition) -> Address | None:
        """`instances/db` in the same project or the site, or a whole address."""
        place = one.node.place_of(f"depends_on.{index}")
        address = self.address(text, one.project)
        if address is None:
            known = [f"{kind}/{name}" for (_, kind), names in self.names.items() for name in names]
            text = f"{text!r} names nothing. Write kind/name, such as instances/db.{nearest(text, known)}"
            self.found.append(UNKNOWN_ADDRESS.at(place, text, address=str(Address(one.project, one.kind, one.name))))
        return address

    def address(self, text: str, project: str) -> Address | None:
        parsed = parse(text)
        if parsed is None:
            return None
        for scope in dict.fromkeys((parsed.project or project, parsed.project)):
            keys = self.names.get((scope, parsed.kind), {}).get(parsed.name, ())
            found = parsed._replace(project=scope)
            if parsed.key is None and parsed.name in self.names.get((scope, parsed.kind), {}):
                return found
            if keys and parsed.key in keys:
                return found
        return None

    def site(self) -> Site:
        node = self.spec.site
        if node is None:
            return Site()
        reading = Reading(self.scope(self.spec.environment))
        site = read_model(Site, node, reading)
        self.found += reading.found
        return Site() if site is FAILED else site

    def outputs(self) -> Iterator[Output]:
        for name, (node, environment) in self.spec.outputs.items():
            described = isinstance(node, document.Mapping) and "value" in node.entries
            inner = node.child("value") if described else node
            description, secret = node.child("description"), node.child("secret")
            reading = Reading(self.scope(environment), name)
            value = _LATE(inner or node, reading, "")
            self.found += reading.found
            if value is not FAILED:
                yield Output(
                    name=name,
                    value=value,
                    description=description.text if described and isinstance(description, Scalar) else "",
                    secret=described and isinstance(secret, Scalar) and secret.value is True,
                )

    def checks(self) -> Iterator[Check]:
        for name, (node, environment) in self.spec.checks.items():
            that, message, severity = (node.child(word) for word in ("that", "message", "severity"))
            if not isinstance(that, Scalar):
                text = (
                    "A check needs `that`, a condition in {{ }}, and should have `message`, what to say when it fails."
                )
                self.found.append(MISSING.at(node.place, text))
                continue
            reading = Reading(self.scope(environment), name)
            condition = _LATE(that, reading, "that")
            self.found += reading.found
            if condition is not FAILED:
                yield Check(
                    name=name,
                    that=condition if isinstance(condition, Expression) else bool(condition),
                    message=message.text if isinstance(message, Scalar) else f"{that.text} does not hold.",
                    place=that.place,
                    warning=isinstance(severity, Scalar) and severity.text == "warning",
                )

    def moved(self, by_address: Mapping[Address, Block]) -> Iterator[tuple[Address, Address]]:
        for node, project in self.spec.moved:
            ends = []
            for word in ("from", "to"):
                below = node.child(word)
                text = below.text if isinstance(below, Scalar) else ""
                parsed = parse(text)
                if parsed is None or parsed.kind not in self.plurals:
                    place = below.place if below else node.place
                    self.found.append(UNKNOWN_ADDRESS.at(place, f"{text!r} is no address, such as instances/web[0]."))
                    break
                site_only = self.kinds[parsed.kind].scope.value == "site"
                ends.append(parsed if parsed.project or site_only else parsed._replace(project=project))
            if len(ends) < 2:
                continue
            old, new = ends
            if old in by_address:
                text = f"{old} is still in the spec, so it cannot have moved. Rename it there, or take this out."
                self.found.append(MOVED_WRONG.at(node.place, text))
            elif new not in by_address:
                hint = nearest(str(new), map(str, by_address))
                text = f"{new} is not in the spec, so nothing can have moved there.{hint}"
                self.found.append(MOVED_WRONG.at(node.place, text))
            else:
                yield old, new

    def forgotten(self, by_address: Mapping[Address, Block]) -> Iterator[Address]:
        for node, project in self.spec.forget:
            parsed = parse(node.text)
            if parsed is None or parsed.kind not in self.plurals:
                self.found.append(
                    UNKNOWN_ADDRESS.at(node.place, f"{node.text!r} is no address, such as instances/web.")
                )
                continue
            site_only = self.kinds[parsed.kind].scope.value == "site"
            address = parsed if parsed.project or site_only else parsed._replace(project=project)
            if address in by_address:
                text = (
                    f"{address} is still in the spec. Take its definition out: what is forgotten is no longer managed."
                )
                self.found.append(MOVED_WRONG.at(node.place, text))
            else:
                yield address

    def digest(self, site: Site, blocks: list[Block], rest: tuple[Any, ...]) -> str:
        """Everything that can change a plan. Secrets enter it by their keyed hash."""
        parts = [repr(site), repr(rest)]
        parts += [
            f"{block.members[0]} {len(block.members)} {block.model!r} {block.settings!r} {block.each!r}"
            for block in blocks
        ]
        sealed = [hmac.new(self.key, one.reveal().encode(), "sha256").hexdigest() for one in self.secrets]
        for _, values in self._variables.values():
            for name, value in sorted(values.items()):
                secret = isinstance(value, Secret)
                shown = (
                    hmac.new(self.key, value.reveal().encode(), "sha256").hexdigest() if secret else canonical(value)
                )
                sealed.append(f"{name}={shown}")
        return digest(*parts, *sealed)


_PLAIN = Settings()
_LATE: Read = reader_of(Annotated[Any, Anything(late=True)])
