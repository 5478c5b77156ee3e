"""What `load` gives: every definition with its node, and the environments that its expressions will see."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from stead.core.address import Address
from stead.core.diagnostics import Place
from stead.core.fields import Password
from stead.core.kind import Kind
from stead.core.named import NamedTuple
from stead.core.value import field, value
from stead.language import document
from stead.language.document import Node


class Given(NamedTuple):
    """A variable's value from outside: `-e`, a variable file, or the parameters of an included part."""

    node: Node
    source: str
    environment: VariableScope | None = None  # whose expressions it uses, when a part was given it
    text: str | None = None  # as `-e` has it: YAML, or text where that is what the variable's type wants


class Said(NamedTuple):
    """An entry of `moved` or `forget`, with where its addresses begin."""

    node: Node
    project: str
    prefix: str
    project_file: bool = False


class When(NamedTuple):
    """A `when`, and whose variables it uses."""

    node: Node
    environment: VariableScope


@value(eq=False)
class VariableScope:
    """One scope of variables: the spec's own, or that of one inclusion of a part."""

    declared: Mapping[str, Node]
    given: Mapping[str, Given]
    project: str = ""
    prefix: str = ""  # of names in an included part: "blue-"
    included: Place | None = None  # where, if it is a part's
    walls: Path | None = None  # of a project file: the folder, or the file, that its people own
    conditions: tuple[When, ...] = ()  # `when` of the inclusions and of the project that it is in

    @property
    def project_file(self) -> bool:
        return self.walls is not None


class Profile(NamedTuple):
    """Fields that definitions share."""

    name: str
    node: document.Mapping
    project_file: bool


@value(eq=False)
class Definition:
    """One entry of a section: `instances.web`."""

    kind: str
    project: str
    name: str
    node: Node
    environment: VariableScope
    profiles: tuple[Profile, ...] = ()  # that went into the node
    complete: bool = True  # every profile that it names is at hand


@value
class Spec:
    kinds: Mapping[str, Kind] = field(repr=False)
    definitions: tuple[Definition, ...] = ()
    environment: VariableScope
    site: Node | None = None
    grants: Mapping[str, Node] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)  # file -> the project whose people own it, or "", the site
    owned: Mapping[str, str] = field(default_factory=dict)  # folder or file of a project's people -> the project
    uploads: Mapping[str, str] = field(default_factory=dict)  # project of the API -> the folder of its own images
    outputs: Mapping[str, tuple[Node, VariableScope]] = field(default_factory=dict)
    checks: Mapping[str, tuple[Node, VariableScope]] = field(default_factory=dict)
    exports: Mapping[tuple[str, str], tuple[Node, VariableScope]] = field(default_factory=dict)  # by project and name
    profiles: Mapping[tuple[str, str], Profile] = field(default_factory=dict)  # by project and name
    moved: tuple[Said, ...] = ()
    forget: tuple[Said, ...] = ()
    passed: Mapping[Address, Address] = field(default_factory=dict)  # from a project of the API to another
    vault_secrets: tuple[Password, ...] = ()
    blind: bool = False  # no secret may be known: what is vaulted stays closed, and none need be given
    whole: bool = True  # every file could be read to its end
