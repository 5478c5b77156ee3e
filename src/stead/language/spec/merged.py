"""What the files say, section by section: every definition, output, check and export under its name, once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from stead.core.address import NAME, Address
from stead.core.diagnostics import Code, Diagnostic
from stead.core.kind import Kind, Scope
from stead.language import document
from stead.language.document import Node, Scalar
from stead.language.reading.codes import UNKNOWN_FIELD, WRONG_FORM, WRONG_TYPE
from stead.language.reading.context import kind_of
from stead.language.spec.model import Definition, Profile, Said, VariableScope
from stead.language.spec.sections import lists
from stead.language.spec.settings import COMPOSED, PROFILE

TWICE = Code("STEAD-L023", "a name is defined twice")

_NAME_FORMS = (
    "It has lower case letters, digits and dashes, begins with a letter, ends with a letter or digit, and "
    "63 characters at most."
)


class Sections:
    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self.found: list[Diagnostic] = []
        self.kinds = kinds
        self.definitions: dict[Address, Definition] = {}
        self.site: Node | None = None
        self.outputs: dict[str, tuple[Node, VariableScope]] = {}
        self.checks: dict[str, tuple[Node, VariableScope]] = {}
        self.exports: dict[tuple[str, str], tuple[Node, VariableScope]] = {}
        self.profiles: dict[tuple[str, str], Profile] = {}
        self.moved: list[Said] = []
        self.forget: list[Said] = []
        self.grants: dict[str, Node] = {}

    def is_map(self, node: Node) -> bool:
        if not isinstance(node, document.Mapping):
            self.found.append(WRONG_TYPE.at(node.place, f"This is {kind_of(node)}; expected a map of sections."))
            return False
        return True

    def merged(self, node: Node, section: str, into: Mapping[str, Node]) -> dict[str, Node]:
        """The entries of one section of one file; those that another file has already are told."""
        entries = dict(self.entries(node, section))
        for name, below in entries.items():
            if name in into:
                self.twice(section, name, below, into[name])
        return entries

    def entries(self, node: Node, section: str) -> Iterator[tuple[str, Node]]:
        below = node.child(section)
        if below is None or (isinstance(below, Scalar) and below.value is None):
            return
        if isinstance(below, document.Mapping):
            yield from below.entries.items()
        else:
            text = f"This is {kind_of(below)}; {section} must be a map with names as keys."
            self.found.append(WRONG_TYPE.at(below.place, text))

    def twice(self, section: str, name: str, second: Node, first: Node) -> None:
        text = f"{name!r} of {section} is defined at {first.place} too. Remove or rename one of them."
        self.found.append(TWICE.at(second.place, text))

    def of_site(self, node: Node, environment: VariableScope) -> None:
        """What only the site's own files may have."""
        if (site := node.child("site")) is not None:
            if self.site is not None:
                self.twice("site", "site", site, self.site)
            self.site = site
        self.grants |= self.merged(node, "grants", self.grants)
        for section, into in (("outputs", self.outputs), ("checks", self.checks)):
            firsts = {name: pair[0] for name, pair in into.items()}
            into.update({name: (below, environment) for name, below in self.merged(node, section, firsts).items()})

    def exported(self, node: Node, scope: VariableScope) -> None:
        for word, below in self.entries(node, "exports"):
            key = (scope.project, scope.prefix + word)
            if not NAME.fullmatch(key[1]):
                self.found.append(WRONG_FORM.at(below.place, f"{key[1]!r} cannot be a name. {_NAME_FORMS}"))
            elif key in self.exports:
                self.twice("exports", word, below, self.exports[key][0])
            else:
                self.exports[key] = (below, scope)

    def shared(self, node: Node, scope: VariableScope) -> None:
        """`profiles`, of the site, a project or a part."""
        for word, below in self.entries(node, "profiles"):
            key = (scope.project, scope.prefix + word)
            if not re.fullmatch(PROFILE.pattern, key[1]):
                self.found.append(WRONG_FORM.at(below.place, f"{key[1]!r} cannot be a name. {_NAME_FORMS}"))
            elif key in self.profiles:
                self.twice("profiles", word, below, self.profiles[key].node)
            elif not isinstance(below, document.Mapping):
                text = f"This is {kind_of(below)}; a profile is a map of fields, as definitions have them."
                self.found.append(WRONG_TYPE.at(below.place, text))
            else:
                for said in sorted(COMPOSED & below.entries.keys()):
                    text = f"A profile has no `{said}`. Write it in the definitions that use the profile."
                    self.found.append(UNKNOWN_FIELD.at(below.place_of_key(said), text))
                self.profiles[key] = Profile(word, below, scope.project_file)

    def project_sections(self) -> list[str]:
        return [plural for plural, kind in self.kinds.items() if kind.scope is not Scope.SITE]

    def section(self, node: Node, plural: str, project: str, environment: VariableScope) -> None:
        for name, below in self.entries(node, plural):
            self.define(plural, project, environment.prefix + name, below, environment, node.child(plural))

    def define(
        self, kind: str, project: str, name: str, node: Node, environment: VariableScope, section: Node | None
    ) -> None:  # the section tells where the key stands
        place = (
            section.place_of_key(name.removeprefix(environment.prefix))
            if isinstance(section, document.Mapping)
            else node.place
        )
        if not NAME.fullmatch(name):
            self.found.append(WRONG_FORM.at(place, f"{name!r} cannot be a name. {_NAME_FORMS}"))
            return
        address = Address(project, kind, name)
        if (first := self.definitions.get(address)) is not None:
            if kind == "projects":
                node = self.together(name, first.node, node)
            else:
                self.twice(kind, name, node, first.node)
                return
        self.definitions[address] = Definition(
            kind=kind, project=project, name=name, node=node, environment=environment
        )

    def together(self, name: str, first: Node, second: Node) -> Node:
        """A project may be spread over files: each says some of its fields, and brings sections of its own."""
        assert isinstance(first, document.Mapping)  # noqa: S101 - `project` has made both
        assert isinstance(second, document.Mapping)  # noqa: S101 - the same
        if not second.entries:
            return first
        if not first.entries:
            return second
        both = document.Mapping(first.file, first.line, first.column)
        both.entries, both.keys = {**second.entries, **first.entries}, {**second.keys, **first.keys}
        for word in first.entries.keys() & second.entries.keys():
            self.twice(f"project {name}", word, second.entries[word], first.entries[word])
        return both

    def lists(self, node: Node, environment: VariableScope) -> None:
        for section, said in lists(node, environment, self.found):
            (self.moved if section == "moved" else self.forget).append(said)
