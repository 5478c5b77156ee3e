"""What names mean inside a block: references, variables, `each` and `index`; and which resources expressions name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from stead.core.address import Address
from stead.core.diagnostics import Code, Diagnostic, Place
from stead.core.fields import Expression, Ref, Secret
from stead.core.value import field, mutable, replace
from stead.language.document import Scalar
from stead.language.expressions import (
    EARLY,
    BoundExceeded,
    NameUse,
    evaluate,
    names_used,
    uses,
    uses_secret,
    without_secrets,
)
from stead.language.reading.context import nearest
from stead.language.spec.quota import quota_model
from stead.language.vault import Vault

UNKNOWN = Code("STEAD-R001", "no such resource")
WHICH = Code("STEAD-R002", "one member must be named")
BAD_EXPRESSION = Code("STEAD-L050", "an expression cannot be evaluated")
UNKNOWN_NAME = Code("STEAD-L051", "an expression uses an unknown name")
TOO_EARLY = Code("STEAD-L052", "an expression needs a value that is chosen later")

BEYOND_WALLS = Code("STEAD-G007", "an expression refers to another project")

# Outside of blocks, in outputs and checks, there is no member to be `this`.
OUTSIDE = frozenset({"vars", "projects", "site"})
LATE = EARLY | OUTSIDE | {"this"}
_REFERENCE = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(\[(?P<key>[^\]]+)\])?")
# Methods of maps, which stand where a name could: `instances.values()`.
_METHODS = frozenset({"items", "keys", "values", "get"})

_WITH = {
    "each": " It is, in a definition with `for_each`.",
    "index": " It is, in a definition with `count` or `for_each`.",
}

Keys = range | dict[str, None] | None  # None for what is not counted
Names = Mapping[tuple[str, str], Mapping[str, Keys]]  # (project, kind) -> name -> keys


class Nothing:
    """A scope in which nothing may be named: for what is read before there are names."""

    def refer(self, text: str, ref: Ref, place: Place, found: list[Diagnostic]) -> Address | None:
        del ref
        found.append(UNKNOWN.at(place, f"{text!r} cannot be referenced here."))
        return None

    def members(self, ref: Ref, name: str) -> None:
        del ref, name

    def evaluate(self, node: Scalar, found: list[Diagnostic]) -> Any:
        found.append(UNKNOWN_NAME.at(node.place, "Expressions are not allowed here. Write the value itself."))

    def keep(self, node: Scalar, path: str, found: list[Diagnostic]) -> Expression | Secret | None:
        try:
            names_used(node.text)
        except BoundExceeded as failure:
            found.append(BAD_EXPRESSION.at(node.place_within(failure.line), str(failure)))
            return None
        return Expression(node.text, path, node.place)

    def decrypt(self, node: Scalar, found: list[Diagnostic]) -> Secret | None:
        found.append(UNKNOWN_NAME.at(node.place, "A vaulted value is not allowed here."))
        return None

    def limits(self) -> type[Any]:
        return quota_model({})


@mutable
class BlockScope:
    """Reading changes what it tells of itself: `varies`, `computed` and `referred`."""

    project: str
    prefix: str
    names: Names
    kinds: frozenset[str]
    variables: Mapping[str, Any]
    opened: Mapping[str, Any]  # the same, secrets open
    vault: Vault
    absent: Mapping[Address, Place]  # what its `when` leaves out, which stands there
    limits: Callable[[], type[Any]]  # the record that quotas are read as
    outside: bool = False  # not in a block, but in outputs or checks
    project_file: bool = False  # written by the project's people, who see their own project and the site's resources
    exported: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)  # to whom; none is all
    assumed: frozenset[str] = frozenset()  # of these kinds, what is not there may be the site's, which is not at hand
    labels: Mapping[str, str] = field(default_factory=dict)
    each: Mapping[str, Any] | None = None
    index: int | str | None = None
    varies: bool = False  # an early expression looked at `each` or `index`
    computed: bool = False  # there is an expression or a secret
    referred: set[str] = field(default_factory=set)  # the kinds of which names were looked up

    def refer(self, text: str, ref: Ref, place: Place, found: list[Diagnostic]) -> Address | None:
        match = _REFERENCE.fullmatch(text)
        wanted = match["name"] if match else text
        address = self.named(ref.kind, wanted) if match else None
        if match and address:
            keys = self.names[address.project, ref.kind][address.name]
            return self._member(address, match["key"], keys, ref, place, found)
        if match and ref.kind in self.assumed:
            return Address("", ref.kind, wanted)
        text = f"There is none of {ref.kind} named {text!r} in this project or at the site."
        why = self.left_out(ref.kind, wanted) or self.instead(ref.kind, wanted)
        found.append(UNKNOWN.at(place, text + why))
        return None

    def members(self, ref: Ref, name: str) -> Keys:
        self.referred.add(ref.kind)
        address = self.named(ref.kind, name)
        return None if address is None else self.names[address.project, ref.kind][address.name]

    def named(self, kind: str, name: str) -> Address | None:
        """The same part first, then the project, then the site."""
        self.referred.add(kind)
        return next((one for one in self._meant(kind, name) if one.name in self.names.get(one[:2], {})), None)

    def _meant(self, kind: str, name: str) -> Iterator[Address]:
        for project in dict.fromkeys((self.project, "")):
            for one in dict.fromkeys((self.prefix + name, name)):
                yield Address(project, kind, one)

    def left_out(self, kind: str, name: str) -> str:
        """It is left out by ..., or nothing."""
        one = next((one for one in self._meant(kind, name) if one in self.absent), None)
        return f" {one} is left out by its `when` at {self.absent[one]}." if one is not None else ""

    def instead(self, kind: str, wanted: str) -> str:
        every = {**self.names.get(("", kind), {}), **self.names.get((self.project, kind), {})}
        listed = f" There are {', '.join(sorted(every)[:8])}." if 0 < len(every) <= 8 else ""
        return nearest(wanted, every) + listed

    def _member(
        self, address: Address, key: str | None, keys: Keys, ref: Ref, place: Place, found: list[Diagnostic]
    ) -> Address | None:
        if keys is None:
            if key is None:
                return address
            found.append(UNKNOWN.at(place, f"{address} has no count: write {address.name!r} without [{key}]."))
            return None
        if key is None:
            if ref.many:
                return address
            first = f"write {address.name}[{next(iter(keys))}], say" if keys else "but its count is 0"
            text = f"{address} has {len(keys)} members, and one of them must be named: {first}."
            found.append(WHICH.at(place, text))
            return None
        chosen: int | str = int(key) if key.isdecimal() and isinstance(keys, range) and len(key) < 9 else key
        if chosen in keys:
            return address._replace(key=chosen)
        span = f"0 to {len(keys) - 1}" if keys and isinstance(keys, range) else ", ".join(map(str, [*keys][:8]))
        found.append(UNKNOWN.at(place, f"{address} has no member {key!r}: there are {span or 'none'}."))
        return None

    def evaluate(self, node: Scalar, found: list[Diagnostic]) -> Any:
        self.computed, secret = True, False
        try:
            early = [use for use in uses(node.text) if use.name in self.kinds or use.name in ("this", "projects")]
            if early:
                text = (
                    f"{early[0].name!r} is chosen by the plan, and this field is needed before that. Only "
                    "fields such as cloud_init.user_data, outputs and checks may use it."
                )
                found.append(TOO_EARLY.at(node.place_within(early[0].line), text))
                return None
            if not self._known(EARLY, node, found):
                return None
            secret = uses_secret(node.text, self.variables)
            self.varies |= not names_used(node.text).isdisjoint(("each", "index"))
            value = evaluate(node.text, self._early())
            return Secret(str(value)) if secret else value
        except BoundExceeded as failure:
            text = without_secrets(str(failure)) if secret else str(failure)
            found.append(BAD_EXPRESSION.at(node.place_within(failure.line), text))
            return None

    def keep(self, node: Scalar, path: str, found: list[Diagnostic]) -> Expression | Secret | None:
        self.computed = True
        try:
            if self.project_file and (told := self._beyond_walls(node)) is not None:
                found.append(told)
                return None
            if not self._known((OUTSIDE if self.outside else LATE) | self.kinds, node, found):
                return None
            if not self.assumed and not self._there(node, found):
                return None
            secret = uses_secret(node.text, self.variables)
        except BoundExceeded as failure:
            found.append(BAD_EXPRESSION.at(node.place_within(failure.line), str(failure)))
            return None
        kept = Expression(node.text, path, node.place, secret=secret)
        kept.variables, kept.prefix, kept.lines = self.variables, self.prefix, node.style == "|"
        return kept

    def _beyond_walls(self, node: Scalar) -> Diagnostic | None:
        """Of others, the people of a project see what these export to them, by its name."""
        for use in uses(node.text):
            place = node.place_within(use.line)
            match use:
                case NameUse("projects", (project, "exports", name, *_)) if name not in _METHODS:
                    if not self.assumed and not self._exports(project, name):
                        text = f"Project {project} exports no {name!r} to {self.project}. Its people may, in `exports`."
                        return BEYOND_WALLS.at(place, text)
                case NameUse("projects", _):
                    text = (
                        "A project file can refer to its own project, without `projects`, and to what other projects "
                        "export: projects.NAME.exports.NAME."
                    )
                    return BEYOND_WALLS.at(place, text)
                case _:
                    pass
        return None

    def _exports(self, project: str, name: str) -> bool:
        to = self.exported.get((project, name))
        return to is not None and (not self.project_file or not to or self.project in (project, *to))

    def decrypt(self, node: Scalar, found: list[Diagnostic]) -> Secret | None:
        self.computed = True
        return self.vault.open(node, found)

    def _known(self, known: frozenset[str], node: Scalar, found: list[Diagnostic]) -> bool:
        """Told once for each name, at its line."""
        known = known - ({"each"} if self.each is None else set()) - ({"index"} if self.index is None else set())
        unknown = {use.name: use for use in reversed(uses(node.text)) if use.name not in known}
        dashed = next((one for one in self.variables if "-" in one and f"vars.{one}" in node.text), "")
        if unknown and dashed:  # `vars.vol-size` is vars.vol minus size
            text = f"A dash subtracts here. Write vars[{dashed!r}] instead of vars.{dashed}."
            found.append(UNKNOWN_NAME.at(node.place, text))
            return False
        for name, use in sorted(unknown.items()):
            hint = f" Write vars.{name}." if name in self.variables else _WITH.get(name) or nearest(name, known)
            others = ", ".join(sorted(known - self.kinds))
            text = f"{name} is not known here.{hint or f' There are {others}.'}"
            found.append(UNKNOWN_NAME.at(node.place_within(use.line), text))
        for use in uses(node.text):
            if use.name == "vars" and use.words and use.words[0] not in self.variables and not unknown:
                word = use.words[0]
                if word in _METHODS or "default" in node.text or "defined" in node.text:
                    continue
                text = (
                    f"There is no variable {word!r}.{nearest(word, self.variables)} Variables are declared under vars."
                )
                found.append(BAD_EXPRESSION.at(node.place_within(use.line), text))
                return False
        return not unknown

    def _there(self, node: Scalar, found: list[Diagnostic]) -> bool:
        """Whether the resources that a late expression names are there: `instances.web`, `projects.acme.volumes.x`."""
        if "default" in node.text or "defined" in node.text:
            return True  # it says itself what to do where something is not there
        before = len(found)
        for use in uses(node.text):
            place = node.place_within(use.line)
            match use:
                case NameUse("projects", (project, *_)) if project not in _METHODS and not self._has_project(project):
                    known = self.names.get(("", "projects"), {})
                    found.append(UNKNOWN.at(place, f"There is no project {project!r}.{nearest(project, known)}"))
                case NameUse("projects", (project, "exports", name, *_)) if name not in _METHODS:
                    if not self._exports(project, name):
                        others = [one for of, one in self.exported if of == project]
                        text = f"Project {project} exports no {name!r}.{nearest(name, others)}"
                        found.append(UNKNOWN.at(place, text))
                case NameUse("projects", (project, kind, name, *_)) if kind in self.kinds:
                    self._there_in(project, kind, name, place, found)
                case NameUse(kind, (name, *_)) if kind in self.kinds:
                    self._there_in(self.project, kind, name, place, found)
                case _:
                    pass
        return len(found) == before

    def of(self, project: str) -> BlockScope:
        return replace(self, project=project, prefix="")

    def _has_project(self, name: str) -> bool:
        return name in self.names.get(("", "projects"), {})

    def _there_in(self, project: str, kind: str, name: str, place: Place, found: list[Diagnostic]) -> None:
        inside = self if project == self.project else self.of(project)
        if name not in _METHODS and inside.named(kind, name) is None and not inside.left_out(kind, name):
            where = f"in project {project} or at the site" if project else "at the site"
            text = f"There is none of {kind} named {name!r} {where}.{inside.instead(kind, name)}"
            if not project and self._elsewhere(kind, name):
                text += f" Of a project's, write projects.{self._elsewhere(kind, name)}.{kind}.{name}."
            found.append(UNKNOWN.at(place, text))

    def _elsewhere(self, kind: str, name: str) -> str:
        """A project that has one of this name."""
        return next((project for (project, one), names in self.names.items() if one == kind and name in names), "")

    def _early(self) -> dict[str, Any]:
        each = None
        if self.each is not None and self.index is not None:
            each = {"key": self.index, "value": self.each.get(str(self.index))}
        return {
            "vars": self.opened,
            "project": self.project,
            "labels": self.labels,
            "each": each,
            "index": self.index,
        }
