"""What a project says of its people. Whether it keeps to its quota is counted where all kinds are known."""

from __future__ import annotations

from collections.abc import Iterator

from stead.core.diagnostics import Code, Diagnostic, Severity
from stead.kinds.project.model import Project
from stead.language.desired import Block, Desired
from stead.language.desired.identity import FIXED_ROLES

PERSON_TWICE = Code("STEAD-Q010", "a member is named twice", Severity.WARNING)
NO_ROLE_HERE = Code("STEAD-Q012", "a member of a project cannot have this role")


def check(block: Block, desired: Desired) -> Iterator[Diagnostic]:
    model: Project = block.model
    seen = set()
    for at, person in enumerate(model.members):
        if person.name in seen:
            text = f"{person.name} is a member already. Remove one of the two."
            yield PERSON_TWICE.at(block.place(f"members.{at}"), text)
        seen.add(person.name)
        if wrong := _wrong_role(person.role, desired):
            yield NO_ROLE_HERE.at(block.place(f"members.{at}.role"), wrong)


def _wrong_role(role: str, desired: Desired) -> str:
    if role == "admin":
        return "An admin is one of the whole cloud: `users: {NAME: {admin: true}}`. In a project, a manager may most."
    made = desired.site.identity.roles if desired.site.identity is not None else {}
    known = [*FIXED_ROLES[1:], *made]
    return "" if role in known else f"There is no role {role!r}. Known are {', '.join(known)}."
