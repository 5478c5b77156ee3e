"""Files to Spec: which file may say what, and under which walls; parts are included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os.path import normpath
from pathlib import Path

from stead.core.diagnostics import Code, Diagnostic, Place
from stead.core.fields import Password
from stead.core.kind import Kind, Scope
from stead.core.value import replace
from stead.language import document
from stead.language.document import Node, Scalar
from stead.language.reading.codes import MISSING, UNKNOWN_FIELD
from stead.language.spec.files import Files, ParsedFiles
from stead.language.spec.merged import Sections
from stead.language.spec.model import Given, Spec, VariableScope
from stead.language.spec.project_files import Owned, apart, owned
from stead.language.spec.sections import IN_PROJECT, PART, TOP, conditions, misplaced, unknown, version, without_sites
from stead.language.spec.stored import NOTHING_STORED, Stored, document_of, twice_owned

RECURSION = Code("STEAD-L025", "a part includes itself")

DEEPEST = 20  # parts in parts
MOST = 2_000  # inclusions: twenty parts that each include the next twice would be a million


def load(  # noqa: PLR0913 - each is a source of its own
    paths: Sequence[Path],
    kinds: Mapping[str, Kind],
    *,
    variables: Mapping[str, str] | None = None,
    var_files: Sequence[Path] = (),
    vault_secrets: Sequence[Password] = (),
    root: Path | None = None,
    stored: Stored = NOTHING_STORED,
    parsed: ParsedFiles | None = None,
) -> tuple[Spec, list[Diagnostic]]:
    """`variables` are those of `-e`, as text; they win over variable files, later files over earlier ones.
    `stored` are the documents of projects that belong to the API. `parsed` is of who reads again and again.
    """
    loading = _Loading(Files(root or Path.cwd(), parsed), kinds)
    nodes = [node for node in loading.files.spec(paths) if loading.sections.is_map(node)]
    given = loading.given(variables or {}, var_files)
    declared: dict[str, Node] = {}
    for node in nodes:
        declared |= loading.sections.merged(node, "vars", declared)
    environment = VariableScope(declared=loading.files.texts(declared), given=given)
    for node in nodes:
        loading.top(node, environment)
    loading.project_files(nodes, environment)
    for project, content in stored.documents.items():
        loading.stored(project, stored.nodes.of(content, document_of(project)), environment)
        loading.uploads[project] = f"{stored.uploads}/{project}/"
    stored.nodes.keep(loading.files.owners)
    if parsed is not None:
        parsed.keep(loading.files.owners)
    found = [*loading.files.found, *loading.found]
    return replace(loading.spec(environment, tuple(vault_secrets)), passed=stored.passed()), found


def load_alone(
    path: Path,
    project: str,
    kinds: Mapping[str, Kind],
    *,
    variables: Mapping[str, str] | None = None,
    var_files: Sequence[Path] = (),
    root: Path | None = None,
) -> tuple[Spec, list[Diagnostic]]:
    """A project's files without the site's. The variables are those that the site's inclusion would give."""
    loading = _Loading(Files(root or Path.cwd()), kinds)
    environment = VariableScope(declared={}, given={})
    place = Place(str(path), 1, 1)
    given = loading.given(variables or {}, var_files)
    loading.owned(Owned(project, path, place, document.Mapping(*place)), environment, given)
    return loading.spec(environment, ()), [*loading.files.found, *loading.found]


class _Loading:
    def __init__(self, files: Files, kinds: Mapping[str, Kind]) -> None:
        self.files = files
        self.sections = Sections(kinds)
        self.kinds, self.found = kinds, self.sections.found
        self.folders: dict[str, str] = {}
        self.uploads: dict[str, str] = {}
        self.parts: dict[Path, Place] = {}  # that the site's files include
        self.including: list[Path] = []
        self.included = 0

    def spec(self, environment: VariableScope, vault_secrets: tuple[Password, ...]) -> Spec:
        return Spec(
            kinds=self.kinds,
            definitions=tuple(self.sections.definitions.values()),
            environment=environment,
            site=self.sections.site,
            grants=self.sections.grants,
            files=self.files.owners,
            owned=self.folders,
            uploads=self.uploads,
            outputs=self.sections.outputs,
            checks=self.sections.checks,
            exports=self.sections.exports,
            profiles=self.sections.profiles,
            moved=tuple(self.sections.moved),
            forget=tuple(self.sections.forget),
            vault_secrets=vault_secrets,
            whole=self.files.whole,
        )

    def given(self, variables: Mapping[str, str], var_files: Sequence[Path]) -> dict[str, Given]:
        given: dict[str, Given] = {}
        for path in var_files:
            node = self.files.document(path)
            if node is not None and self.sections.is_map(node):
                given |= {name: Given(below, str(path)) for name, below in node.entries.items()}  # type: ignore[attr-defined]
        for name, text in variables.items():
            given[name] = Given(Scalar(f"-e {name}", 1, 1, text), "-e", text=text)
        return given

    def top(self, node: Node, environment: VariableScope) -> None:
        assert isinstance(node, document.Mapping)  # noqa: S101 - the caller has told of all others
        version(node, self.found)
        self.sections.shared(node, environment)
        sections = [
            plural for plural, kind in self.kinds.items() if kind.scope is not Scope.PROJECT and plural != "projects"
        ]
        unknown(node, {*TOP, *sections}, "", self.kinds, self.found)
        for plural in sections:
            self.sections.section(node, plural, "", environment)
        for name, below in self.sections.entries(node, "projects"):
            self.project(name, below, node, environment)
        self.sections.of_site(node, environment)
        self.sections.lists(node, environment)

    def project(self, name: str, node: Node, above: document.Mapping, environment: VariableScope) -> None:
        if isinstance(node, Scalar) and node.value is None:
            node = document.Mapping(node.file, node.line, node.column)
        if not self.sections.is_map(node):
            return
        assert isinstance(node, document.Mapping)  # noqa: S101 - just tested
        scope = VariableScope(
            declared=environment.declared,
            given=environment.given,
            project=name,
            conditions=conditions(node, environment),
        )
        sections = self.sections.project_sections()
        aside = {"when", *sections, *IN_PROJECT, *misplaced(node, self.kinds, self.found)}
        self.sections.define("projects", "", name, node.without(aside), scope, above.child("projects"))
        self.sections.shared(node, scope)
        for plural in sections:
            self.sections.section(node, plural, name, scope)
        self.sections.exported(node, scope)
        self.include(node, scope)
        self.sections.lists(node, scope)

    def project_files(self, nodes: Sequence[Node], environment: VariableScope) -> None:
        """What projects' people write, after all that the site's own files say."""
        named = [one for node in nodes for one in owned(node, self.files.found)]
        site = {Path(node.file): node.place for node in nodes} | self.parts
        for one in apart(named, site, self.found):
            self.owned(one, environment)

    def owned(self, one: Owned, above: VariableScope, more: Mapping[str, Given] | None = None) -> None:
        empty = document.Mapping(one.node.file, one.node.line, one.node.column)
        self.sections.define("projects", "", one.project, empty, above, None)
        self.folders[str(one.path)] = one.project
        nodes = [node for node in self.files.owned(one.path, one.place, one.project) if self.sections.is_map(node)]
        declared: dict[str, Node] = {}
        for node in nodes:
            declared |= self.sections.merged(node, "vars", declared)
        given = {word: Given(value, str(one.place), above) for word, value in self.sections.entries(one.node, "vars")}
        declared = self.files.texts(declared, one.path)
        scope = VariableScope(declared=declared, given=given | dict(more or {}), project=one.project, walls=one.path)
        for node in nodes:
            assert isinstance(node, document.Mapping)  # noqa: S101 - just tested
            version(node, self.found)
            self.contents(node, scope)

    def stored(self, project: str, node: document.Mapping, above: VariableScope) -> None:
        """What the API's people have asked for, with the walls of a project file. The site's files may say what is
        theirs to say of the project, and nothing that is in it.
        """
        others = [one for one in self.sections.definitions.values() if one.project == project]
        self.found += twice_owned(project, others)
        scope = VariableScope(declared={}, given={}, project=project, walls=Path(node.file))
        own = node.child("project") or document.Mapping(node.file, 1, 1)
        self.sections.define("projects", "", project, own, above, None)
        for plural in self.sections.project_sections() if not others else ():
            self.sections.section(node, plural, project, scope)
        self.files.owners[node.file] = project

    def contents(self, node: document.Mapping, scope: VariableScope) -> None:
        """What a part and a project file may have."""
        sections = self.sections.project_sections()
        self.sections.shared(node, scope)
        own = node if scope.walls is None else without_sites(node, self.kinds, self.found)
        unknown(own, {*PART, *sections}, scope.project, self.kinds, self.found)
        for plural in sections:
            self.sections.section(own, plural, scope.project, scope)
        self.sections.exported(own, scope)
        self.include(own, scope)
        self.sections.lists(own, scope)

    def include(self, node: Node, environment: VariableScope) -> None:
        """`include: {blue: {part: web.yml, vars: {...}}}`: the part's resources, named blue-..., in this project."""
        for name, below in self.sections.entries(node, "include"):
            part = below.child("part")
            if not isinstance(part, Scalar) or not part.text:
                text = "An inclusion needs `part`, the file to include, and may have `vars`, its parameters."
                self.found.append(MISSING.at(below.place, text))
                continue
            if isinstance(below, document.Mapping):
                for word in set(below.entries) - {"part", "vars", "when"}:
                    text = f"There is no field {word!r} here: an inclusion has `part`, `vars` and `when`."
                    self.found.append(UNKNOWN_FIELD.at(below.place_of_key(word), text))
            self.part(name, below, part, environment)

    def part(self, name: str, inclusion: Node, part: Scalar, environment: VariableScope) -> None:
        path = Path(normpath(Path(part.file).parent / part.text))
        self.included += 1
        if path in self.including or len(self.including) >= DEEPEST or self.included > MOST:
            ring = [*self.including[self.including.index(path) if path in self.including else 0 :], path]
            text = " includes ".join(map(str, ring)) + ". Take one of them out."
            if self.included <= MOST + 1:
                self.found.append(RECURSION.at(part.place, text))
            return
        project = environment.project if environment.project_file else ""
        node = self.files.document(path, part.place, walls=environment.walls, project=project)
        if not environment.project_file:
            self.parts.setdefault(path, part.place)
        if node is None or not self.sections.is_map(node):
            return
        assert isinstance(node, document.Mapping)  # noqa: S101 - just tested
        version(node, self.found)
        given = {
            word: Given(value, str(inclusion.place), environment)
            for word, value in self.sections.entries(inclusion, "vars")
        }
        scope = VariableScope(
            declared=self.files.texts(dict(self.sections.entries(node, "vars")), environment.walls),
            given=given,
            project=environment.project,
            prefix=f"{environment.prefix}{name}-",
            included=inclusion.place if environment.included is None else environment.included,
            walls=environment.walls,
            conditions=conditions(inclusion, environment),
        )
        before = len(self.found)
        self.including.append(path)
        self.contents(node, scope)
        self.including.pop()
        self.found[before:] = [_inside(one, str(path), inclusion.place) for one in self.found[before:]]


def _inside(one: Diagnostic, part: str, included: Place) -> Diagnostic:
    """A mistake in a part stands in the part, and is made where that is included."""
    if one.place is None or one.place.file != part:
        return one
    return replace(one, detail=f"{one.detail}\nThe part is included at {included}.")


__all__ = ["load"]
