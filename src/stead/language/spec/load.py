"""Files to Spec: sections merged over files, parts included, every definition under its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from os.path import normpath
from pathlib import Path

from stead.core.address import NAME, Address
from stead.core.diagnostics import Code, Diagnostic, Place
from stead.core.fields import Secret
from stead.core.kind import Kind, Scope
from stead.core.value import replace
from stead.language import document
from stead.language.document import Node, Scalar
from stead.language.reading.codes import MISSING, UNKNOWN_FIELD, WRONG_FORM, WRONG_TYPE
from stead.language.reading.context import kind_of, nearest
from stead.language.spec.files import Files
from stead.language.spec.model import Definition, Environment, Given, Said, Spec

VERSION = Code("STEAD-L022", "a spec says which language it is written in")
TWICE = Code("STEAD-L023", "a name is defined twice")
ELSEWHERE = Code("STEAD-L024", "a section stands where it may not")
RECURSION = Code("STEAD-L025", "a part includes itself")

TOP = ("stead", "site", "vars", "projects", "outputs", "checks", "moved", "forget")
PART = ("stead", "vars", "include", "moved", "forget")
DEEPEST = 20  # parts in parts
MOST = 2_000  # inclusions: twenty parts that each include the next twice would be a million
_NAME_FORMS = (
    "It has lower case letters, digits and dashes, begins with a letter, ends with a letter or digit, and "
    "63 characters at most."
)


def load(
    paths: Sequence[Path],
    kinds: Mapping[str, Kind],
    *,
    variables: Mapping[str, str] | None = None,
    var_files: Sequence[Path] = (),
    vault_secrets: Sequence[Secret] = (),
    root: Path | None = None,
) -> tuple[Spec, list[Diagnostic]]:
    """`variables` are those of `-e`, as text; they win over variable files, later files over earlier ones."""
    loading = _Loading(Files(root or Path.cwd()), kinds)
    nodes = [node for node in loading.files.spec(paths) if loading.is_map(node)]
    given = loading.given(variables or {}, var_files)
    declared: dict[str, Node] = {}
    for node in nodes:
        declared |= loading.merged(node, "vars", declared)
    environment = Environment(declared=declared, given=given)
    for node in nodes:
        loading.top(node, environment)
    found = [*loading.files.found, *loading.found]
    return loading.spec(environment, tuple(vault_secrets)), found


class _Loading:
    def __init__(self, files: Files, kinds: Mapping[str, Kind]) -> None:
        self.files = files
        self.found: list[Diagnostic] = []
        self.kinds = kinds
        self.definitions: dict[Address, Definition] = {}
        self.site: Node | None = None
        self.outputs: dict[str, tuple[Node, Environment]] = {}
        self.checks: dict[str, tuple[Node, Environment]] = {}
        self.moved: list[Said] = []
        self.forget: list[Said] = []
        self.including: list[Path] = []
        self.included = 0

    def spec(self, environment: Environment, vault_secrets: tuple[Secret, ...]) -> Spec:
        return Spec(
            kinds=self.kinds,
            definitions=tuple(self.definitions.values()),
            environment=environment,
            site=self.site,
            outputs=self.outputs,
            checks=self.checks,
            moved=tuple(self.moved),
            forget=tuple(self.forget),
            vault_secrets=vault_secrets,
            whole=self.files.whole,
        )

    def given(self, variables: Mapping[str, str], var_files: Sequence[Path]) -> dict[str, Given]:
        given: dict[str, Given] = {}
        for path in var_files:
            node = self.files.document(path)
            if node is not None and self.is_map(node):
                given |= {name: Given(below, self.files.shown(path)) for name, below in node.entries.items()}  # type: ignore[attr-defined]
        for name, text in variables.items():
            given[name] = Given(Scalar(f"-e {name}", 1, 1, text), "-e", text=text)
        return given

    def is_map(self, node: Node) -> bool:
        if not isinstance(node, document.Mapping):
            self.found.append(WRONG_TYPE.at(node.place, f"Here stands {kind_of(node)}; a map of sections is needed."))
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
            text = f"Here stands {kind_of(below)}; {section} is a map with names as keys."
            self.found.append(WRONG_TYPE.at(below.place, text))

    def twice(self, section: str, name: str, second: Node, first: Node) -> None:
        text = f"{name!r} of {section} is defined at {first.place} too. Remove or rename one of them."
        self.found.append(TWICE.at(second.place, text))

    def top(self, node: Node, environment: Environment) -> None:
        assert isinstance(node, document.Mapping)  # noqa: S101 - the caller has told of all others
        self.version(node)
        sections = [
            plural for plural, kind in self.kinds.items() if kind.scope is not Scope.PROJECT and plural != "projects"
        ]
        self.unknown(node, {*TOP, *sections}, "")
        for plural in sections:
            self.section(node, plural, "", environment)
        for name, below in self.entries(node, "projects"):
            self.project(name, below, node, environment)
        if (site := node.child("site")) is not None:
            if self.site is not None:
                self.twice("site", "site", site, self.site)
            self.site = site
        for section, into in (("outputs", self.outputs), ("checks", self.checks)):
            firsts = {name: pair[0] for name, pair in into.items()}
            into.update({name: (below, environment) for name, below in self.merged(node, section, firsts).items()})
        self.lists(node, environment)

    def version(self, node: document.Mapping) -> None:
        stated = node.child("stead")
        if stated is None:
            self.found.append(VERSION.at(node.place, "The line `stead: 1` is missing. Put it first."))
        elif not isinstance(stated, Scalar) or stated.value != 1:
            text = (
                f"Here stands {kind_of(stated)}; this Stead reads language 1. Write `stead: 1`, or use a newer Stead."
            )
            self.found.append(VERSION.at(stated.place, text))

    def unknown(self, node: document.Mapping, known: set[str], project: str) -> None:
        for word in node.entries:
            if word in known:
                continue
            kind = self.kinds.get(word)
            if kind is not None:
                where = "in a project" if kind.scope is Scope.PROJECT else "at the top, beside `projects`"
                text = f"{word} stand {where}, not {'in a project' if project else 'at the top'}."
                self.found.append(ELSEWHERE.at(node.place_of_key(word), text))
            else:
                text = f"There is no section {word!r}.{nearest(word, known)}"
                self.found.append(UNKNOWN_FIELD.at(node.place_of_key(word), text))

    def project(self, name: str, node: Node, above: document.Mapping, environment: Environment) -> None:
        if isinstance(node, Scalar) and node.value is None:
            node = document.Mapping(node.file, node.line, node.column)
        if not self.is_map(node):
            return
        assert isinstance(node, document.Mapping)  # noqa: S101 - just tested
        scope = Environment(declared=environment.declared, given=environment.given, project=name)
        sections = self.project_sections()
        own = document.Mapping(node.file, node.line, node.column)
        aside = {*sections, "include", "moved", "forget"}
        own.entries = {word: below for word, below in node.entries.items() if word not in aside}
        own.keys = node.keys
        self.define("projects", "", name, own, scope, above.child("projects"))
        for plural in sections:
            self.section(node, plural, name, scope)
        self.include(node, scope)
        self.lists(node, scope)

    def project_sections(self) -> list[str]:
        return [plural for plural, kind in self.kinds.items() if kind.scope is not Scope.SITE]

    def section(self, node: Node, plural: str, project: str, environment: Environment) -> None:
        for name, below in self.entries(node, plural):
            self.define(plural, project, environment.prefix + name, below, environment, node.child(plural))

    def define(
        self, kind: str, project: str, name: str, node: Node, environment: Environment, section: Node | None
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

    def include(self, node: Node, environment: Environment) -> None:
        """`include: {blue: {part: web.yml, vars: {...}}}`: the part's resources, named blue-..., in this project."""
        for name, below in self.entries(node, "include"):
            part = below.child("part")
            if not isinstance(part, Scalar) or not part.text:
                text = "An inclusion needs `part`, the file to include, and may have `vars`, its parameters."
                self.found.append(MISSING.at(below.place, text))
                continue
            if isinstance(below, document.Mapping):
                for word in set(below.entries) - {"part", "vars"}:
                    text = f"There is no field {word!r} here: an inclusion has `part` and `vars`."
                    self.found.append(UNKNOWN_FIELD.at(below.place_of_key(word), text))
            self.part(name, below, part, environment)

    def part(self, name: str, inclusion: Node, part: Scalar, environment: Environment) -> None:
        path = Path(normpath((self.files.root / part.file).parent / part.text))
        self.included += 1
        if path in self.including or len(self.including) >= DEEPEST or self.included > MOST:
            ring = [*self.including[self.including.index(path) if path in self.including else 0 :], path]
            text = " includes ".join(self.files.shown(one) for one in ring) + ". Take one of them out."
            if self.included <= MOST + 1:
                self.found.append(RECURSION.at(part.place, text))
            return
        node = self.files.document(path, part.place)
        if node is None or not self.is_map(node):
            return
        assert isinstance(node, document.Mapping)  # noqa: S101 - just tested
        self.version(node)
        self.unknown(node, {*PART, *self.project_sections()}, environment.project)
        given = {
            word: Given(value, str(inclusion.place), environment) for word, value in self.entries(inclusion, "vars")
        }
        scope = Environment(
            declared=dict(self.entries(node, "vars")),
            given=given,
            project=environment.project,
            prefix=f"{environment.prefix}{name}-",
            included=inclusion.place if environment.included is None else environment.included,
        )
        before = len(self.found)
        self.including.append(path)
        for plural in self.project_sections():
            self.section(node, plural, environment.project, scope)
        self.include(node, scope)
        self.lists(node, scope)
        self.including.pop()
        self.found[before:] = [_inside(one, self.files.shown(path), inclusion.place) for one in self.found[before:]]

    def lists(self, node: Node, environment: Environment) -> None:
        """`moved` and `forget`, which are lists."""
        for section in ("moved", "forget"):
            below = node.child(section)
            if below is None or (isinstance(below, Scalar) and below.value is None):
                continue
            if not isinstance(below, document.Sequence):
                self.found.append(WRONG_TYPE.at(below.place, f"Here stands {kind_of(below)}; {section} is a list."))
                continue
            for item in below.items:
                said = Said(item, environment.project, environment.prefix)
                if section == "moved" and isinstance(item, document.Mapping):
                    self.moved.append(said)
                elif section == "forget" and isinstance(item, Scalar):
                    self.forget.append(said)
                else:
                    need = "{from: ADDRESS, to: ADDRESS}" if section == "moved" else "an address"
                    self.found.append(WRONG_TYPE.at(item.place, f"Here stands {kind_of(item)}; {need} is needed."))


def _inside(one: Diagnostic, part: str, included: Place) -> Diagnostic:
    """A mistake in a part stands in the part, and is made where that is included."""
    if one.place is None or one.place.file != part:
        return one
    return replace(one, detail=f"{one.detail}\nThe part is included at {included}.")


__all__ = ["load"]
