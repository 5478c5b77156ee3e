"""What should be, before any choice: variables, counts, defaults and references resolved.

It decides nothing that has an alternative: no host, no address, no identifier.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stead.address import Address
from stead.diagnostics import Place
from stead.document import Node
from stead.fields import Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """A playbook of the user's, before or after a resource's step."""

    playbook: str
    when: str  # "before" or "after"
    actions: frozenset[str]  # create, update, …
    variables: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What every kind understands, beside its own fields."""

    labels: Mapping[str, str] = field(default_factory=dict)
    protect: bool = False
    ignore: tuple[str, ...] = ()
    depends_on: tuple[Address, ...] = ()
    replace_when: Any = None  # its value is remembered; when it changes, the resource is replaced
    create_before_destroy: bool = False
    hooks: tuple[Hook, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
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
    each: Any = None  # the value of `for_each`, where there is one
    late: tuple[Expression, ...] = ()

    def place(self, path: str = "") -> Place:
        return self.node.place_of(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A condition of the user's that the blueprint must meet."""

    name: str
    that: Expression | bool
    message: str
    place: Place
    warning: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    name: str
    value: Any  # JSON types; Expressions inside wait for the choices
    description: str = ""
    secret: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The `site` section: what holds for everything."""

    name: str = "site"
    policy: str = "balance"
    mtu: int = 1500
    vni_first: int = 10_000
    vni_last: int = 9_999_999
    vlan_first: int = 100
    vlan_last: int = 3999
    overcommit: Mapping[str, float] = field(default_factory=dict)
    domain: str = "stead.internal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    site: Site
    blocks: tuple[Block, ...]  # sorted by address of the first member
    by_address: Mapping[Address, Block]  # every member, and every block by its own address
    variables: Mapping[str, Any]
    outputs: tuple[Output, ...] = ()
    checks: tuple[Check, ...] = ()
    moved: Mapping[Address, Address] = field(default_factory=dict)  # from -> to, blocks or members
    forget: frozenset[Address] = frozenset()
    digest: str = ""  # of everything that can change a plan

    def of_kind(self, plural: str) -> Iterator[Block]:
        return (block for block in self.blocks if block.kind == plural)

    def get(self, address: Address) -> Block | None:
        return self.by_address.get(address)

    def referrers(self, address: Address) -> Sequence[Block]:
        """The blocks that refer to this one."""
        return tuple(block for block in self.blocks if address in block.refs)
