"""All choices in one view, from which the kinds make wants: the `World` of kind.py.

It looks things up and evaluates late expressions. It decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from stead.blueprint.seals import Seals
from stead.core.address import Address
from stead.core.diagnostics import Code, Diagnostic, Place
from stead.core.fields import Expression, Secret
from stead.core.kind import Contribution, Kind, Member
from stead.core.observed import Host
from stead.language.desired import Block, Desired

FAILED = Code("STEAD-L060", "an expression cannot be evaluated")
_RING = object()  # in the place of an export that is being evaluated


class Choices:
    def __init__(
        self,
        *,
        desired: Desired,
        kinds: Mapping[str, Kind],
        hosts: Mapping[str, Host],
        members: Mapping[Address, Member],
        seals: Seals,
    ) -> None:
        self.desired, self.hosts, self.seals = desired, hosts, seals
        self.diagnostics: list[Diagnostic] = []
        self._kinds, self._members = kinds, members
        self._told: dict[tuple[Address, str], list[Mapping[str, Any]]] = {}
        self._rendered: dict[tuple[Block, str, str], Any] = {}
        self._named: dict[tuple[str, str], dict[str, list[Address]]] = {}
        self._exports: dict[tuple[str, str], Any] = {}

    def member(self, address: Address) -> Member:
        return self._members[address]

    def contributions(self, to: Address, what: str) -> Sequence[Mapping[str, Any]]:
        return self._told.get((to, what), ())

    def gather(self, blocks: Sequence[tuple[Block, Sequence[Member]]], others: Iterable[Contribution] = ()) -> None:
        """What every resource tells those that it refers to; and `others`, of what is no resource any more."""
        told = self._told
        for to, what, fact in others:
            told.setdefault((to, what), []).append(fact)
        for block, members in blocks:
            for to, what, fact in self._kinds[block.kind].contribute(block, members, self):
                told.setdefault((to, what), []).append(fact)

    def named(self, project: str, kind: str) -> Mapping[str, Sequence[Address]]:
        """The members of a kind by name. A project's own hide the site's of the same name."""
        if not self._named:
            for block in self.desired.blocks:
                names = self._named.setdefault((block.project, block.kind), {})
                names.setdefault(block.name, []).extend(block.members)
            for address in self.desired.empty:
                self._named.setdefault((address.project, address.kind), {})[address.name] = []
        if kind not in self._kinds:
            raise KeyError(kind)
        site = self._named.get(("", kind), {})
        return site | self._named.get((project, kind), {}) if project else site

    def facts(self, address: Address) -> Mapping[str, Any]:
        block = self.desired.by_address[address]
        return self._kinds[block.kind].facts(block, self._members[address], self)

    def render(self, value: str | Expression | Secret, member: Member) -> Any:
        match value:
            case Secret():
                return self.seals.seal(value, member.address.project)
            case Expression():
                block = self.desired.by_address[member.address]
                return self._evaluated(value, block, member)
            case _:
                return value

    def _evaluated(self, expression: Expression, block: Block, member: Member) -> Any:
        """Once for the whole block, unless the expression looks at the member."""
        from stead.language.expressions import names_used

        names = names_used(expression)
        own = str(member.address) if names & {"this", "each", "index"} else ""
        cached = (block, expression.text, own)
        if cached not in self._rendered:
            viewer = block.project if block.project_file else ""
            scope = LateScope(self, block.project, block=block, member=member, viewer=viewer)
            place = expression.place or block.place(expression.path)
            self._rendered[cached] = self.evaluate(expression, scope, place, address=str(member.address))
        return self._rendered[cached]

    def export(self, project: str, name: str) -> Any:
        """Its value. One that needs itself has none."""
        from stead.language.expressions import BoundExceeded

        key = project, name
        if key not in self._exports:
            self._exports[key] = _RING
            one = self.desired.exports[key]
            scope = LateScope(self, project, viewer=project if one.project_file else "")
            self._exports[key] = self._valued(one.value, scope, f"{project}/exports/{name}")
        if self._exports[key] is _RING:
            raise BoundExceeded(f"The export {name} of {project} needs itself.")
        return self._exports[key]

    def _valued(self, value: Any, scope: LateScope, address: str) -> Any:
        match value:
            case Expression():
                return self.evaluate(value, scope, value.place, address=address)
            case Mapping():
                return {name: self._valued(one, scope, address) for name, one in value.items()}
            case list() | tuple():
                return [self._valued(one, scope, address) for one in value]
            case _:
                return value

    def holds(self, condition: Expression | bool, place: Place | None) -> bool | None:
        """A condition, whose answer gives no secret away. None where it came to a text, which is no answer."""
        if isinstance(condition, bool):
            return condition
        from stead.language.expressions import BoundExceeded, evaluate_late

        try:
            value = evaluate_late(condition, LateScope(self, ""))
        except BoundExceeded as failure:
            self.diagnostics.append(FAILED.at(place, str(failure)))
            return None
        if isinstance(value, Secret):
            return {"True": True, "False": False}.get(value.reveal())
        return None if isinstance(value, str) else bool(value)

    def evaluate(self, expression: Expression, scope: LateScope, place: Place | None, *, address: str = "") -> Any:
        from stead.language.expressions import BoundExceeded, evaluate_late

        try:
            value = evaluate_late(expression, scope)
        except BoundExceeded as failure:
            self.diagnostics.append(FAILED.at(place, str(failure), address=address))
            return ""
        return self.seals.seal(value, scope.project) if isinstance(value, Secret) else value


class LateScope(Mapping[str, Any]):
    """The names a late expression may use, each made when it is first looked at.

    `viewer` is the project whose people wrote it, and who see of others what these export; the site sees everything.
    """

    def __init__(
        self,
        choices: Choices,
        project: str,
        *,
        block: Block | None = None,
        member: Member | None = None,
        viewer: str = "",
    ) -> None:
        self._choices, self.project, self._block, self._member = choices, project, block, member
        self._viewer = viewer
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(
            ("vars", "project", "projects", "site", *(("this", "each", "index", "labels") if self._member else ()))
        )

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _make(self, name: str) -> Any:
        choices = self._choices
        made = self._of_member(name)
        if made is not None:
            return made
        site = choices.desired.site
        plain = {
            "vars": choices.desired.variables,
            "project": self.project,
            "site": {"name": site.name, "domain": site.domain},
        }
        if name in plain:
            return plain[name]
        if name == "projects":
            return Projects(choices, self._viewer)
        if name == "exports":
            return Exports(choices, self.project, self._viewer)
        return Family(choices, self.project, name)

    def _of_member(self, name: str) -> Any:
        block, member = self._block, self._member
        if block is None or member is None:
            return None
        match name:
            case "this":
                return self._choices.facts(member.address)
            case "each":
                return {"key": member.address.key, "value": (block.each or {}).get(str(member.address.key))}
            case "index":
                return member.address.key
            case "labels":
                return block.settings.labels
            case _:
                return None


class Family(Mapping[str, Any]):
    """`instances`: by name, one member's facts, or a list of them where there is a count."""

    def __init__(self, choices: Choices, project: str, kind: str) -> None:
        self._choices, self._kind = choices, kind
        self._addresses = choices.named(project, kind)
        self.projects = dict.fromkeys((project, ""))

    def __getitem__(self, name: str) -> Any:
        found = self._addresses[name]
        if not found:
            empty = self._choices.desired.empty
            counted = next(
                empty[one] for one in (Address(at, self._kind, name) for at in self.projects) if one in empty
            )
            return [] if counted else {}
        if len(found) == 1 and found[0].key is None:
            return self._choices.facts(found[0])
        if any(isinstance(address.key, str) for address in found):
            return {address.key: self._choices.facts(address) for address in found}
        return [self._choices.facts(address) for address in found]

    def left_out(self, name: str) -> str:
        """Why a definition is not there, or nothing."""
        absent = self._choices.desired.absent
        places = [absent[one] for at in self.projects if (one := Address(at, self._kind, name)) in absent]
        return f"{self._kind}.{name} is left out by its `when` at {places[0]}" if places else ""

    def __iter__(self) -> Iterator[str]:
        return iter(self._addresses)

    def __len__(self) -> int:
        return len(self._addresses)


class Projects(Mapping[str, Any]):
    """`projects.acme.instances.web`: for outputs and checks, which stand outside any project."""

    def __init__(self, choices: Choices, viewer: str) -> None:
        self._choices, self._viewer = choices, viewer
        self._names = sorted(choices.named("", "projects"))

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(name)
        if self._viewer:
            return {"exports": Exports(self._choices, name, self._viewer)}
        return LateScope(self._choices, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class Exports(Mapping[str, Any]):
    """`projects.acme.exports`: what a project gives others, as far as it is for the one who looks."""

    def __init__(self, choices: Choices, project: str, viewer: str) -> None:
        self._choices, self._project = choices, project
        exports = choices.desired.exports.values()
        self._names = [one.name for one in exports if one.project == project and one.is_for(viewer)]

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(name)
        return self._choices.export(self._project, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
