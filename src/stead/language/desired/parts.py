"""What of a spec is whose, with a digest of each part: so that who is told what has changed can be told whose it is."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import Any

from stead.core.blake2 import blake2b
from stead.core.diagnostics import Place
from stead.core.named import NamedTuple
from stead.core.want import canonical
from stead.language.desired.digest import Shapes
from stead.language.desired.model import Block, Desired


class SpecPart(NamedTuple):
    """One sort of resources of a project, one resource of the site, or another section."""

    owner: str  # the project whose people wrote it; "" is the site
    what: str  # "acme/instances", "projects/acme", "site", "grants"
    digest: str
    place: Place | None

    @property
    def key(self) -> str:
        return f"{self.owner}:{self.what}"


def parts_of(desired: Desired, key: bytes, stored: Container[str], beside: Mapping[str, Any]) -> list[SpecPart]:
    """Without the projects in `stored`, which no file changes. `beside` is what the site has beside the spec."""
    shapes = Shapes(key)
    digests: dict[tuple[str, str], Any] = {}
    places: dict[tuple[str, str], Place] = {}
    for block in desired.blocks:
        if not _is_stored(block, stored):
            part = (block.project if block.project_file else "", _named(block))
            places.setdefault(part, block.place())
            digests.setdefault(part, blake2b(digest_size=16)).update(canonical(shapes.block(block)).encode())
    found = [SpecPart(owner, what, one.hexdigest(), places[owner, what]) for (owner, what), one in digests.items()]
    return found + [
        SpecPart(owner, what, blake2b(canonical(said).encode(), digest_size=16).hexdigest(), None)
        for (owner, what), said in _others(desired, shapes, stored, beside)
    ]


def _is_stored(block: Block, stored: Container[str]) -> bool:
    """Also the project itself, of which its document says something."""
    return (block.project or (block.name if block.kind == "projects" else "")) in stored


def _named(block: Block) -> str:
    return f"{block.project}/{block.kind}" if block.project else f"{block.kind}/{block.name}"


def _others(
    desired: Desired, shapes: Shapes, stored: Container[str], beside: Mapping[str, Any]
) -> Iterator[tuple[tuple[str, str], Any]]:
    yield ("", "site"), shapes.of(desired.site)
    yield ("", "grants"), shapes.of(desired.grants)
    files = [file for file, owner in desired.files.items() if not owner]
    yield ("", "include"), [sorted(files), dict(desired.owned)]
    outputs = [[one.name, shapes.of(one.value), one.secret] for one in desired.outputs]
    yield ("", "outputs"), sorted(outputs, key=canonical)
    checks = [[one.name, shapes.of(one.that), shapes.of(one.message), one.warning] for one in desired.checks]
    yield ("", "checks"), sorted(checks, key=canonical)
    yield from ((("", what), said) for what, said in beside.items())
    by_owner: dict[tuple[str, str], list[Any]] = {}
    for one in desired.exports.values():
        of = one.project if one.project_file else ""
        by_owner.setdefault((of, "exports"), []).append([one.project, one.name, shapes.of(one.value), list(one.to)])
    people = {*desired.owned.values()}
    for word, said in _left_or_renamed(desired, stored):
        by_owner.setdefault((said[0] if said[0] in people else "", word), []).append(said)
    yield from ((part, sorted(some, key=canonical)) for part, some in by_owner.items())


def _left_or_renamed(desired: Desired, stored: Container[str]) -> Iterator[tuple[str, list[str]]]:
    """With the project first. What projects' people may write of it stays within their project."""
    yield from (
        ("moved", [old.project, str(old), str(new)]) for old, new in desired.moved.items() if old.project not in stored
    )
    yield from (("forget", [one.project, str(one)]) for one in desired.forget)
