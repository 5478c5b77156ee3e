"""What a route is: one line of a service's table. The table is all that a service offers, and what the docs show."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stead.core.named import NamedTuple
from stead.core.value import field, mutable, positional, value
from stead.plan.model import Plan
from stead.serve.cloud import Cloud
from stead.serve.edits import Edit, Who
from stead.serve.faults import bad, forbidden

if TYPE_CHECKING:
    from stead.serve.identity.people import People
    from stead.serve.identity.roles import Caller
    from stead.serve.world import CloudState, KnownResource


class AccessPolicy(StrEnum):
    """Who may call a route. Whose a thing is, its handler looks at: what is another project's is not found."""

    PUBLIC = "anybody"
    ANYONE = "anybody with a token"
    READER = "reader of the project"
    MEMBER = "member of the project"
    MANAGER = "manager of the project"
    REVIEWER = "admin of the cloud, or a role with this word in the whole cloud"
    ADMIN = "admin of the cloud"


@positional
class ApiReply:
    status: int = 200
    body: Any = None  # JSON; bytes are sent as they are
    headers: Mapping[str, str] = field(default_factory=dict)
    is_json: bool = False  # of bytes: they are JSON already


class PreviewedEdit(Exception):  # noqa: N818 - it is what was asked for
    """Ends a request of which only the plan is wanted."""

    def __init__(self, project: str, before: CloudState, after: CloudState, plan: Plan) -> None:
        super().__init__()
        self.project, self.before, self.after, self.plan = project, before, after, plan


@mutable
class Call:
    """One request, as a handler sees it."""

    cloud: Cloud
    people: People
    caller: Caller
    path: Mapping[str, str]
    query: Sequence[tuple[str, str]]
    body: Any  # JSON that its route's schema allows; None without one
    headers: Mapping[str, str]
    root: str  # URL of the server, as the client sees it
    source: str
    request: str = ""  # its id
    raw: bytes = b""  # of routes that take no JSON
    audit: dict[str, str] = field(default_factory=dict)
    preview: bool = False  # its edit is planned and told, and not saved
    made: list[Path] = field(default_factory=list)  # files, of no use if the request is refused
    acting_in: str | None = None  # an admin's project of the moment, where that is not the token's

    @property
    def world(self) -> CloudState:
        return self.cloud.world()

    @property
    def project(self) -> str:
        """The project that is acted in, for what lives in one: the token's, or another one that an admin names."""
        if self.acting_in is not None:
            return self.acting_in
        if not self.caller.project:
            raise forbidden("This needs a token for a project.")
        return self.caller.project

    def act_in(self, project: str | None) -> None:
        if project is None or (project != self.caller.project and not self.caller.admin):
            raise forbidden("Only an admin makes and changes things of other projects.")
        if self.acting_in not in (None, project):
            raise bad("All things of a request are in one project.")
        self.acting_in = project

    def own(self, kind: str, what: str) -> tuple[CloudState, KnownResource]:
        """What the path names, to change it."""
        return self.world, self.own_named(kind, self.path["id"], what)

    def own_named(self, kind: str, id_: str, what: str) -> KnownResource:
        """The project's own; an admin's is every project's, and is acted in from now on."""
        thing = self.world.find(kind, id_, self.caller.project, what=what, admin=self.caller.admin)
        self.act_in(thing.address.project)
        return thing

    def edit(self, what: str, edit: Edit, **more: Any) -> CloudState:
        """Changes the document of the project. `what` goes into its history."""
        return self.edit_in(self.project, what, edit, **more)

    def edit_in(self, project: str, what: str, edit: Edit, **more: Any) -> CloudState:
        if self.preview:
            raise PreviewedEdit(project, *self.cloud.preview(project, self.who, edit, **more))
        world = self.cloud.edit(project, self.who, what, edit, **more)
        self.made.clear()  # the document has them now
        return world

    @property
    def who(self) -> Who:
        return Who(self.caller.name, self.caller.user)

    def asked(self, name: str, default: str = "") -> str:
        return next((text for key, text in self.query if key == name), default)

    def flag(self, name: str) -> bool:
        return self.asked(name).lower() in ("1", "true", "yes")


Handler = Callable[[Call], ApiReply]
Schema = Mapping[str, Any]


class ApiRoute(NamedTuple):
    method: str
    path: str
    policy: AccessPolicy
    handler: Handler
    schema: Schema | None = None  # of the body; None: the route takes none
    raw: bool = False  # the body is a file, and no JSON
    kept: bool = False  # the answer follows from what there is alone, and is kept until that changes


@value
class Service:
    name: str  # "compute": the first part of its paths, and its endpoint's type
    type: str  # in the catalog: "compute", "volumev3"
    title: str  # "nova"
    endpoint: str  # in the catalog: its path, with {project}
    routes: tuple[ApiRoute, ...]
    also_at: str = ""  # an older path under which all of the endpoint's is reached as well
    previewed: bool = False  # its changes are edits of documents alone, so that they can be planned without being made
    # Method, path, and what it would be: answers 501 to who could use it.
    unbuilt: tuple[tuple[str, str, str], ...] = ()
    unbuilt_for_admins: frozenset[str] = frozenset()  # paths
    lists_by_slash: bool = True  # whether a list is also found with a slash behind its path

    def paths(self) -> Iterator[str]:
        yield from (one.path for one in self.routes)
        yield from (path for _, path, _ in self.unbuilt)

    def who_could(self, method: str, path: str) -> AccessPolicy:
        """Use what is not built."""
        if path in self.unbuilt_for_admins:
            return AccessPolicy.ADMIN
        return AccessPolicy.READER if method == "GET" else AccessPolicy.MEMBER


def record(required: Sequence[str] = (), /, **properties: Any) -> dict[str, Any]:
    """The schema of an object. Fields that it does not name are passed over, as the services themselves do."""
    return {"type": "object", "required": [*required], "properties": properties}


def wrapped(name: str, schema: Any) -> dict[str, Any]:
    return record([name], **{name: schema})


TEXT = {"type": "string", "maxLength": 255}
NAME = {"type": "string", "minLength": 1, "maxLength": 255}
MAYBE_TEXT = {"type": ["string", "null"], "maxLength": 255}
LONG = {"type": ["string", "null"], "maxLength": 4096}
FLAG = {"anyOf": [{"type": "boolean"}, {"enum": ["true", "false", "True", "False", "1", "0", "TRUE", "FALSE", 1, 0]}]}
MAYBE_FLAG = {"anyOf": [*FLAG["anyOf"], {"type": "null"}]}
ID = {"type": "string", "minLength": 1, "maxLength": 255}
UUID = {"type": "string", "pattern": "^[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$"}
DISK_CONFIGS = {"enum": ["AUTO", "MANUAL"]}
MAYBE_ID = {"type": ["string", "null"], "maxLength": 255}
IDS = {"type": "array", "items": ID, "maxItems": 100}
METADATA = {
    "type": "object",
    "maxProperties": 128,
    "propertyNames": {"pattern": r"^[a-zA-Z0-9\-_:. ]{1,255}$"},
    "additionalProperties": {"type": "string", "maxLength": 255, "pattern": r"^[^\x00-\x1f\x7f]*$"},
}
TAGS: dict[str, Any] = {
    "type": "array",
    "items": {"type": "string", "pattern": r"^[^/,\x00-\x1f\x7f]{1,60}$"},
    "maxItems": 50,
}


def true(said: object) -> bool:
    return said in (True, 1, "1", "true", "True", "TRUE")
