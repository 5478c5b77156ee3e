"""What should be, before any choice: variables, counts, defaults and references resolved.

It decides nothing that has an alternative: no host, no address, no identifier.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from stead.core.address import Address
from stead.core.diagnostics import Place
from stead.core.fields import (
    LINE,
    Example,
    Expression,
    Ip,
    Limits,
    Name,
    Text,
    Whole,
)
from stead.core.kind import Kind, Reach
from stead.core.value import field, mutable, value
from stead.language.desired.identity import IdentitySettings
from stead.language.desired.review import ReviewSettings
from stead.language.document import Node
from stead.language.spec.grants import SOURCE, Grants
from stead.language.spec.settings import SiteHook

DOMAIN = Text(pattern=r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", what="a DNS domain", longest=200)


@value
class Hook:
    """A playbook of the user's, before or after a resource's step."""

    playbook: str
    when: str  # "before" or "after"
    actions: frozenset[str]  # create, update, …; none means all
    variables: Mapping[str, Any]


@value
class Rollout:
    """How many members of a definition may be disturbed at once."""

    at_once: str  # "2", or "25%" of all
    wait: int = 0  # seconds between two batches
    stop_on_failure: bool = True

    def size(self, members: int) -> int:
        share = self.at_once.removesuffix("%")
        return max(1, members * int(share) // 100) if share != self.at_once else int(share)


@value
class Settings:
    """What every kind understands, beside its own fields."""

    labels: Mapping[str, str] = field(default_factory=dict)
    display_name: str = ""
    tags: tuple[str, ...] = ()
    protect: bool = False
    ignore: tuple[str, ...] = ()
    depends_on: tuple[Address, ...] = ()
    replace_when: Any = None  # its value is remembered; when it changes, the resource is replaced
    create_before_destroy: bool = False
    rollout: Rollout | None = None
    hooks: tuple[Hook, ...] = ()


@value(eq=False)
class Block:
    """Members of one definition that share every field; `count: 1000` is one block, not a thousand.

    A definition whose early expressions differ by member (`each`, `index`) becomes several blocks, one per member.
    Blocks are compared by identity: use them as dictionary keys freely.
    """

    kind: str  # plural
    project: str
    name: str
    model: Any  # the kind's dataclass, typed and complete
    settings: Settings
    node: Node  # as written, for places
    members: tuple[Address, ...]
    refs: tuple[Address, ...]  # every resource that a field refers to, sorted, without repeats
    each: Mapping[str, Any] | None = None  # the values of `for_each`, where there is one, by key
    late: tuple[Expression, ...] = ()
    project_file: bool = False  # written by the project's people: it may do what the site grants, and no more

    def place(self, path: str = "") -> Place:
        return self.node.place_of(path)


@mutable
class KeptFacts:
    """What was made of a block before, for a process that reads it again and again."""

    text: bytes = b""  # in the digest
    granted: tuple[Reach, ...] | None = None  # what its fields ask for beyond its project


@value
class Check:
    """A condition of the user's that the blueprint must meet."""

    name: str
    that: Expression | bool
    message: str | Expression
    place: Place
    warning: bool = False


@value
class Output:
    name: str
    value: Any  # JSON types; Expressions inside wait for the choices
    description: str = ""
    secret: bool = False


@value
class Export:
    """A value of a project's that expressions of other projects may use."""

    project: str
    name: str
    value: Any  # JSON types; Expressions inside wait for the choices
    to: tuple[str, ...]  # projects that may use it; empty, all
    place: Place
    project_file: bool = False

    def is_for(self, project: str) -> bool:
        """For the site too, which is called "" and sees everything."""
        return not project or not self.to or project in (self.project, *self.to)


@value
class Site:
    """The `site` section: what holds for everything."""

    name: Annotated[str, Name(), "Name of the site, for people", Example("berlin")] = "site"
    policy: Annotated[
        Literal["balance", "pack", "spread", "nova"], "How instances choose among hosts that fit, unless a project says"
    ] = "balance"
    mtu: Annotated[
        int | None,
        Whole(least=576, most=65_535),
        "Largest packet that the underlay carries; left out, what the inventory says of the host that carries least",
        Example(9000),
    ] = None
    vni_first: Annotated[int, Whole(least=1, most=16_777_215), "First tunnel id to choose from"] = 10_000
    vni_last: Annotated[int, Whole(least=1, most=16_777_215), "Last tunnel id to choose from"] = 9_999_999
    vlan_first: Annotated[int, Whole(least=1, most=4094), "First VLAN id to choose from"] = 100
    vlan_last: Annotated[int, Whole(least=1, most=4094), "Last VLAN id to choose from"] = 3999
    domain: Annotated[str, DOMAIN, "DNS domain of the site's instances", Example("cloud.example.org")] = (
        "stead.internal"
    )
    dns: Annotated[
        tuple[Annotated[str, Ip()], ...],
        "Name servers that networks ask for names other than their own, unless a subnet says",
        Example(["9.9.9.9"]),
    ] = ()
    image_sources: Annotated[
        tuple[Annotated[str, SOURCE], ...],
        "Folders and URL prefixes that images of project files may come from",
        Example(["/srv/images/", "https://cloud.debian.org/images/cloud/"]),
    ] = ()
    image_mirrors: Annotated[
        Mapping[Annotated[str, SOURCE], Annotated[str, SOURCE]],
        "URL prefixes of the catalogue's images, and where a mirror of yours has what is there",
        Example({"https://cloud.debian.org/images/": "https://mirror.example.org/debian-images/"}),
    ] = field(default_factory=dict)
    unchecked_images: Annotated[bool, "Images from URLs need no checksum: whoever answers there decides what runs"] = (
        False
    )
    hooks: Annotated[
        Mapping[Annotated[str, Name()], SiteHook] | None,
        "Hooks that projects may be granted, by name",
        Example({"notify": {"playbook": "hooks/notify.yml"}}),
    ] = None
    quota: Annotated[
        Mapping[str, int],
        Limits(),
        "The most that each project may have, limit by limit, where it does not say so itself",
        Example({"instances": 10, "vcpus": 20, "memory": "64GiB"}),
    ] = field(default_factory=dict)
    defaults: Annotated[
        Mapping[Annotated[str, Text(pattern=r"[a-z_]+", what="a kind")], Annotated[str, Name()]],
        "Profile of the site's that every definition of a kind has below its own fields and profiles",
        Example({"networks": "tunnels"}),
    ] = field(default_factory=dict)
    identity: Annotated[
        IdentitySettings | None, "Who logs in to `stead serve` beside the users of its own, and what roles may do"
    ] = None
    review: Annotated[
        ReviewSettings, "How plans are reviewed before they are applied", Example({"two_persons": True})
    ] = field(default_factory=ReviewSettings)
    store: Annotated[
        str, LINE, "Where state is kept; left out, .stead/state.db beside the spec", Example("postgresql://db/stead")
    ] = ""


@value
class Desired:
    site: Site
    blocks: tuple[Block, ...]  # sorted by address of the first member
    by_address: Mapping[Address, Block]  # every member, and every block by its own address
    variables: Mapping[str, Any]
    empty: Mapping[Address, bool] = field(default_factory=dict)  # definitions without members: counted, or by keys
    absent: Mapping[Address, Place] = field(default_factory=dict)  # left out, and where the `when` stands
    outputs: tuple[Output, ...] = ()
    checks: tuple[Check, ...] = ()
    exports: Mapping[tuple[str, str], Export] = field(default_factory=dict)  # by project and name
    moved: Mapping[Address, Address] = field(default_factory=dict)  # from -> to, blocks or members
    forget: frozenset[Address] = frozenset()
    files: Mapping[str, str] = field(default_factory=dict)  # file -> the project whose people own it, or "", the site
    owned: Mapping[str, str] = field(default_factory=dict)  # folder or file of a project's people -> the project
    digest: str = ""  # of everything that can change a plan
    kinds: Mapping[str, Kind] = field(default_factory=dict)  # by plural: what blocks can be asked
    grants: Mapping[str, Grants] = field(default_factory=dict)  # by project: what its people may do beyond it

    def of_kind(self, plural: str) -> Iterator[Block]:
        return (block for block in self.blocks if block.kind == plural)

    def get(self, address: Address) -> Block | None:
        return self.by_address.get(address)
