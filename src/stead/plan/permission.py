"""What one of the people may change: members the files of their project, operators everything.

Who may what is what was applied last, so nobody gets a right by the change that is looked at. What has changed is what
differs from the parts of the spec that were applied last.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence

from stead.core.address import parse
from stead.core.diagnostics import Code, Diagnostic, Place
from stead.core.kind import Kind, PermittedPerson
from stead.core.named import NamedTuple
from stead.core.recorded import Recorded
from stead.language.desired.parts import SpecPart
from stead.plan.model import Plan

MAY_NOT = Code("STEAD-G014", "somebody may not make this change")
BEGINS = Code("STEAD-G015", "nobody knows yet who may change what")
CHANGING = ("manager", "member")  # roles of a project whose people write its files


class Acting(NamedTuple):
    """Somebody, and what this person may change."""

    name: str
    operator: bool
    projects: frozenset[str]

    def may(self, owner: str) -> bool:
        return self.operator or owner in self.projects


def acting(name: str, recorded: Recorded, kinds: Mapping[str, Kind]) -> Acting:
    said = [one for one in permitted(recorded, kinds) if one.name == name]
    if any(one.off for one in said):
        return Acting(name, operator=False, projects=frozenset())
    projects = frozenset(one.project for one in said if one.project and one.role in CHANGING)
    return Acting(name, any(not one.project and one.role == "admin" for one in said), projects)


def permitted(recorded: Recorded, kinds: Mapping[str, Kind]) -> Iterator[PermittedPerson]:
    for address, record in recorded.resources.items():
        want = record.wants.get("")
        if want is not None and (kind := kinds.get(address.kind)) is not None:
            yield from kind.lets(address, want.fields())


def changed(before: Mapping[str, str], parts: Sequence[SpecPart]) -> list[SpecPart]:
    """`before` has the digests of what was applied last, by key."""
    now = {one.key: one for one in parts}
    gone = (key.partition(":") for key in before if key not in now)
    here = [one for one in parts if before.get(one.key) != one.digest]
    return [*here, *(SpecPart(owner, what, "", None) for owner, _, what in gone)]


def refused(
    who: Acting, plan: Plan, before: Mapping[str, str], parts: Sequence[SpecPart], documents: Container[str]
) -> list[Diagnostic]:
    if who.operator:
        return []
    if not before:
        text = (
            f"{who.name} is no operator, and no apply has recorded yet what the spec had. An operator, who has "
            "`admin: true` in `users`, applies it once without --as."
        )
        return [BEGINS.at(None, text)]
    some = [one for one in changed(before, parts) if not who.may(one.owner)]
    found = [_told(who, one, _place(one, plan)) for one in some]
    return found + [
        _told(who, SpecPart("", str(step.address), "", None), plan.keeps[step.address].place)
        for step in plan.steps
        if not step.address.project and step.address.name in documents and step.address in plan.keeps
    ]


def beyond(who: Acting, asked: Mapping[str, list[str] | str | bool]) -> Iterator[Diagnostic]:
    """What is asked on the command line, by option: of resources of the own projects, and nothing of hosts."""
    for option, said in asked.items():
        names = said if isinstance(said, list) else ("",)
        for name in names:
            address = parse(name)
            if not who.may(address.project if address is not None else ""):
                what = f"--{option.replace('_', '-')}{f' {name}' if name else ''}"
                yield MAY_NOT.at(None, f"{what} is not for {who.name}, who is {_what_is(who)}.")


def _place(part: SpecPart, plan: Plan) -> Place | None:
    """Of the first change among these resources; where the plan has none, of the first of them."""
    for step in plan.steps:
        named = f"{step.address.project}/{step.address.kind}" if step.address.project else str(step.address)
        keep = plan.keeps.get(step.address)
        if named == part.what and keep is not None and keep.place is not None:
            return keep.place
    return part.place


def _told(who: Acting, part: SpecPart, place: Place | None) -> Diagnostic:
    whose = f"the files of {part.owner}'s people" if part.owner else "the site's own files"
    needs = (
        f"a member of {part.owner}, or an operator" if part.owner else "an operator (`users: {NAME: {admin: true}}`)"
    )
    text = (
        f"{part.what} differs from what was applied last, and belongs to {whose}. {who.name} is {_what_is(who)}. "
        f"Undo that, or let {needs} apply it."
    )
    return MAY_NOT.at(place, text)


def _what_is(who: Acting) -> str:
    if who.operator:
        return "an operator"
    return f"a member of {', '.join(sorted(who.projects))} only" if who.projects else "no member of any project"
