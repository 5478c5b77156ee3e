"""What a project says of its people. Whether it keeps to its quota is counted where all kinds are known."""

from __future__ import annotations

from collections.abc import Iterator

from stead.core.diagnostics import Code, Diagnostic, Severity
from stead.kinds.project.model import Project
from stead.language.desired import Block, Desired

PERSON_TWICE = Code("STEAD-Q010", "a member is named twice", Severity.WARNING)


def check(block: Block, _desired: Desired) -> Iterator[Diagnostic]:
    model: Project = block.model
    seen = set()
    for at, person in enumerate(model.members):
        if person.name in seen:
            text = f"{person.name} is a member already. Remove one of the two."
            yield PERSON_TWICE.at(block.place(f"members.{at}"), text)
        seen.add(person.name)
