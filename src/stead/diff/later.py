"""What changed in the spec and waits for the resource to be made anew, told in one line for each block.

It is no step, and never becomes one by itself: the disk was made from what was said before, and holds data.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stead.address import parse
from stead.diff.model import Subject
from stead.plan.model import FieldChange, Note

NEXT = "next-rebuild"


def waiting(subject: Subject, host: str, changes: Sequence[FieldChange]) -> Note:
    """Of one resource, its fields as the spec calls them."""
    return Note(
        NEXT, ", ".join(sorted({_spoken(change.field, subject) for change in changes})), str(subject.address), host
    )


def _spoken(field: str, subject: Subject) -> str:
    places = subject.kind.places
    head, dot, rest = field.partition(".")
    return places.get(field) or f"{places.get(head, head)}{dot}{rest}"


def by_block(notes: Sequence[Note]) -> Iterator[Note]:
    """Members of a block of which the same is to be said are one line."""
    several: dict[tuple[str, str], list[Note]] = {}
    for note in notes:
        if note.code != NEXT:
            yield note
        elif (address := parse(note.address)) is not None:
            several.setdefault((str(address.block), note.text), []).append(note)
    for (block, fields), some in several.items():
        number = f" ({len(some):,} of them)" if len(some) > 1 else ""
        name = block if len(some) > 1 else some[0].address
        text = f"{name}{number}: {fields} changed in the spec, and takes effect at the next rebuild."
        yield Note(NEXT, text, name, some[0].host if len(some) == 1 else "")
