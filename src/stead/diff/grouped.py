"""What is told of a resource and is no step, in one line for each block.

What changed in the spec and waits for the resource to be made anew: it never becomes a step by itself, for the disk was
made from what was said before, and holds data. And what a host changed first, and the spec since to the same.
And what has its state by a command, whatever the spec says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from stead.blueprint.model import Blueprint
from stead.core.address import Address, parse
from stead.core.by_hand import STATE, read, undo
from stead.core.kind import Kind
from stead.diff.model import FieldChange, Note, Subject
from stead.diff.wording import Holders, said

NEXT = "next-rebuild"
AGREED = "spec-agrees"
BY_HAND = "by-hand"


def waiting(subject: Subject, host: str, changes: Sequence[FieldChange]) -> Note:
    """Of one resource, its fields as the spec calls them."""
    return Note(
        NEXT, ", ".join(sorted({_spoken(change.field, subject) for change in changes})), str(subject.address), host
    )


def _spoken(field: str, subject: Subject) -> str:
    places = subject.kind.field_map
    head, dot, rest = field.partition(".")
    return places.get(field) or f"{places.get(head, head)}{dot}{rest}"


def agreed(subject: Subject, host: str, fields: Sequence[str]) -> Note:
    """Of one resource on one host; it gets its words with those of all others."""
    return Note(AGREED, "\n".join(fields), str(subject.address), host)


def held(blueprint: Blueprint) -> Iterator[Note]:
    """What has its state by hand, and not from the spec."""
    for address, settled in blueprint.resources.items():
        if STATE in settled.leases:
            yield Note(BY_HAND, settled.leases[STATE], str(address))


def by_block(notes: Sequence[Note], kinds: Mapping[str, Kind], holders: Holders) -> Iterator[Note]:
    """Members of a block of which the same is to be said are one line."""
    several: dict[tuple[str, Address, str], list[Note]] = {}
    for note in notes:
        address = parse(note.address) if note.code in (NEXT, AGREED, BY_HAND) else None
        if address is None:
            yield note
            continue
        text = note.text
        if note.code == AGREED:
            words = kinds[address.kind].words
            text = ", ".join(sorted({said(field, words, holders, address) for field in note.text.split("\n")}))
        several.setdefault((note.code, address.block, text), []).append(note)
    for (code, block, fields), some in several.items():
        members, hosts = sorted({note.address for note in some}), sorted({note.host for note in some})
        number = f" ({len(members):,} of them)" if len(members) > 1 else ""
        name = str(block) if number else members[0]
        host = hosts[0] if len(hosts) == 1 else ""
        text = f"{name}{number}: {fields} changed in the spec, and takes effect at the next rebuild."
        if code == BY_HAND:
            text = f"{name}{number}: {fields}, whatever the spec says, until `{undo(read(fields), name)}`."
        elif code == AGREED:
            where = host or f"{len(hosts):,} hosts"
            text = f"{name}{number}: {fields} changed on {where}, and the spec says the same now."
        yield Note(code, text, name, host if not number else "")
