"""A template as read: its sections, with the place of everything in it, and what is told of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from stead.core.diagnostics import Code, Diagnostic, Place
from stead.core.value import mutable
from stead.language import document
from stead.language.document import Node, Scalar
from stead.language.document.parser import read
from stead.language.reading.context import kind_of, nearest

NOT_HOT = Code("STEAD-K001", "this is not a HOT template")
NO_TYPE = Code("STEAD-K002", "a resource type has no equivalent")
NO_PROPERTY = Code("STEAD-K003", "a property has no equivalent")
NO_FUNCTION = Code("STEAD-K004", "a function cannot be translated")
NOT_THERE = Code("STEAD-K005", "the template refers to something that it does not have")
NO_FILE = Code("STEAD-K006", "a file of the template cannot be read")
TOO_EARLY = Code("STEAD-K007", "a value is needed before it is chosen")
WRONG = Code("STEAD-K008", "a value of the template is not what Heat takes there")
TOO_LARGE = Code("STEAD-K009", "the template is too large")

VERSIONS = ("2013-05-23", "2014-10-16", "2015-04-30", "2015-10-15", "2016-04-08", "2016-10-14", "2017-02-24",
            "2017-09-01", "2018-03-02", "2018-08-31", "2021-04-16")  # fmt: skip
NAMES = ("juno", "kilo", "liberty", "mitaka", "newton", "ocata", "pike", "queens", "rocky", "stein", "train", "ussuri",
         "victoria", "wallaby")  # fmt: skip
SECTIONS = (
    "heat_template_version",
    "description",
    "parameters",
    "parameter_groups",
    "resources",
    "outputs",
    "conditions",
)
MOST_BYTES = 1 << 20
DEEPEST = 30
MOST_VALUES = 50_000  # aliases followed

Reader = Callable[[str], bytes]  # the contents of a file, by its path from the template; raises Unreadable


class Unreadable(Exception):  # noqa: N818 - the reader's word
    """Why a file of a template is not read."""


class CannotSay(Exception):  # noqa: N818 - caught where it can be left out
    """What a spec cannot say. Without a diagnostic, it has been told already."""

    def __init__(self, diagnostic: Diagnostic | None) -> None:
        super().__init__(diagnostic)
        self.diagnostic = diagnostic


@mutable
class Template:
    node: document.Mapping
    folder: str  # from the root template's, for the files it names

    def section(self, name: str) -> Mapping[str, Node]:
        below = self.node.child(name)
        return below.entries if isinstance(below, document.Mapping) else {}


def parsed(data: bytes, file: str, folder: str, found: list[Diagnostic]) -> Template | None:
    """None where it is not a template of Heat's; why is told."""
    node = bounded(data, file, found)
    if node is None:
        return None
    if not isinstance(node, document.Mapping):
        found.append(NOT_HOT.at(Place(file, 1, 1), f"This is {kind_of(node)}; a template is a map of sections."))
        return None
    problem = _unlike(node)
    if problem is not None:
        found.append(problem)
        return None
    for name, below in node.entries.items():
        found += _misshapen(name, below, node)
    return Template(node, folder)


def bounded(data: bytes, file: str, found: list[Diagnostic]) -> Node | None:
    """YAML of a stranger's: small, and small after its aliases are followed."""
    if len(data) > MOST_BYTES:
        found.append(TOO_LARGE.at(Place(file, 1, 1), f"It has {len(data):,} bytes; {MOST_BYTES:,} are read."))
        return None
    node, wrong = read(data, file, dollars=True)
    found += wrong
    if node is None or wrong:
        if not wrong:
            found.append(NOT_HOT.at(Place(file, 1, 1), "The file is empty."))
        return None
    if _deep(node):
        found.append(TOO_LARGE.at(node.place, f"It is nested more than {DEEPEST} deep."))
        return None
    if _count(node, MOST_VALUES) < 0:
        text = f"With its aliases followed, it has more than {MOST_VALUES:,} values."
        found.append(TOO_LARGE.at(node.place, text))
        return None
    return node


def _deep(node: Node) -> bool:
    level, pending = 0, [node]
    while pending and level <= DEEPEST and len(pending) <= MOST_VALUES:
        level, pending = level + 1, [below for one in pending for below in _below(one)]
    return level > DEEPEST


def _below(node: Node) -> Iterable[Node]:
    if isinstance(node, document.Mapping):
        return node.entries.values()
    return node.items if isinstance(node, document.Sequence) else ()


def _count(node: Node, left: int) -> int:
    """How many values are left of so many; less than 0 when there are more."""
    pending = [node]
    while pending and left >= 0:
        one = pending.pop()
        left -= 1
        pending += _below(one)
    return left


def _unlike(node: document.Mapping) -> Diagnostic | None:
    version = node.child("heat_template_version")
    if version is None:
        cfn = next(
            (one for one in ("AWSTemplateFormatVersion", "HeatTemplateFormatVersion") if one in node.entries), ""
        )
        text = (
            f"{cfn} is the format of CloudFormation. Only HOT is read: rewrite the template with heat_template_version."
            if cfn
            else "The line `heat_template_version: …` is missing."
        )
        return NOT_HOT.at(node.place_of_key(cfn) if cfn else node.place, text)
    if not isinstance(version, Scalar) or version.text not in (*VERSIONS, *NAMES):
        shown = version.text if isinstance(version, Scalar) else kind_of(version)
        return NOT_HOT.at(
            version.place, f"There is no version {shown!r} of HOT. Known are {', '.join((*VERSIONS, *NAMES))}."
        )
    return None


def _misshapen(name: str, below: Node, node: document.Mapping) -> list[Diagnostic]:
    place = node.place_of_key(name)
    if name not in SECTIONS:
        return [WRONG.at(place, f"There is no section {name!r}.{nearest(name, SECTIONS)}")]
    empty = isinstance(below, Scalar) and below.value is None
    if name in ("parameters", "resources", "outputs", "conditions") and not isinstance(below, document.Mapping):
        return [] if empty else [WRONG.at(below.place, f"This is {kind_of(below)}; {name} is a map.")]
    return []


def scalar(node: Node | None, default: Any = None) -> Any:
    """What stands there, where it is a plain value."""
    return node.value if isinstance(node, Scalar) else default
