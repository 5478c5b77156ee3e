"""Which sections a file may have, and which of them are of whom: the version, words that are known, and lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stead.core.diagnostics import Code, Diagnostic
from stead.core.kind import Kind, Scope
from stead.core.value import fields_of
from stead.language import document
from stead.language.document import Node, Scalar
from stead.language.reading.codes import UNKNOWN_FIELD, WRONG_TYPE
from stead.language.reading.context import kind_of, nearest
from stead.language.spec.model import Said, VariableScope, When
from stead.language.spec.project_files import SITES
from stead.language.spec.settings import SETTINGS

VERSION = Code("STEAD-L022", "the language version is missing or unknown")
ELSEWHERE = Code("STEAD-L024", "a section is not allowed here")

TOP = ("stead", "site", "vars", "profiles", "projects", "include", "grants", "outputs", "checks", "moved", "forget")
BESIDE = "at the top, beside `projects`"
IN_PROJECT = ("profiles", "include", "exports", "moved", "forget")
PART = ("stead", "vars", "profiles", "include", "exports", "moved", "forget")

Kinds = Mapping[str, Kind]
Found = list[Diagnostic]


def version(node: document.Mapping, found: Found) -> None:
    stated = node.child("stead")
    if stated is None:
        found.append(VERSION.at(node.place, "The line `stead: 1` is missing. Put it first."))
    elif not isinstance(stated, Scalar) or stated.value != 1:
        text = f"This is {kind_of(stated)}; this Stead reads language 1. Write `stead: 1`, or use a newer Stead."
        found.append(VERSION.at(stated.place, text))


def unknown(node: document.Mapping, known: set[str], project: str, kinds: Kinds, found: Found) -> None:
    for word in node.entries:
        if word in known:
            continue
        kind = kinds.get(word) or kinds.get(f"{word}s")
        if kind is not None:
            where = "in a project" if kind.scope is Scope.PROJECT else BESIDE
            text = f"{kind.plural} stand {where}, not {'in a project' if project else 'at the top'}."
            found.append(ELSEWHERE.at(node.place_of_key(word), text))
        else:
            hint = nearest(word, known) or f" There are {', '.join(sorted(known))}."
            text = f"There is no section {word!r}.{hint}"
            found.append(UNKNOWN_FIELD.at(node.place_of_key(word), text))


def misplaced(node: document.Mapping, kinds: Kinds, found: Found) -> set[str]:
    """Words of the top of a file that stand in a project; they are told, and left out."""
    own = fields_of(kinds["projects"].model)
    sites = {plural for plural, kind in kinds.items() if kind.scope is Scope.SITE}
    words = {word for word in node.entries if word in {*TOP, *sites} and word not in {*own, *PART}}
    for word in sorted(words):
        found.append(ELSEWHERE.at(node.place_of_key(word), f"{word} stand {BESIDE}, not in a project."))
    return words


def is_sites(word: str, kinds: Kinds) -> bool:
    kind = kinds.get(word)
    if kind is not None:
        return kind.scope is Scope.SITE
    return word not in PART and word in {*TOP, *SETTINGS, *fields_of(kinds["projects"].model)}


def without_sites(node: document.Mapping, kinds: Kinds, found: Found) -> document.Mapping:
    """What a project file may have of sections; the others are told."""
    foreign = [word for word in node.entries if is_sites(word, kinds)]
    for word in foreign:
        text = (
            f"`{word}` is for the site's files. A file of a project's people has the project's resources, `vars`, "
            "`profiles`, `include`, `exports` and `moved`. Remove it, or ask the owners of the site's files to "
            "write it."
        )
        found.append(SITES.at(node.place_of_key(word), text))
    return node.without(foreign)


def conditions(node: Node, environment: VariableScope) -> tuple[When, ...]:
    """What must hold for what stands in a project or an inclusion, beside what must hold around it."""
    said = node.child("when")
    return environment.conditions if said is None else (*environment.conditions, When(said, environment))


def lists(node: Node, environment: VariableScope, found: Found) -> Iterator[tuple[str, Said]]:
    """`moved` and `forget`, which are lists."""
    for section in ("moved", "forget"):
        below = node.child(section)
        if below is None or (isinstance(below, Scalar) and below.value is None):
            continue
        if not isinstance(below, document.Sequence):
            found.append(WRONG_TYPE.at(below.place, f"This is {kind_of(below)}; {section} must be a list."))
            continue
        for item in below.items:
            said = Said(item, environment.project, environment.prefix, environment.project_file)
            if (section == "moved" and isinstance(item, document.Mapping)) or (
                section == "forget" and isinstance(item, Scalar)
            ):
                yield section, said
            else:
                need = "{from: ADDRESS, to: ADDRESS}" if section == "moved" else "an address"
                found.append(WRONG_TYPE.at(item.place, f"This is {kind_of(item)}; expected {need}."))
