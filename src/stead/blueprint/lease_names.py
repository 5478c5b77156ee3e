"""Who has a name that only one project may have: whoever came first, as with addresses.

Names are not chosen, they are what a resource is called. So nobody is given another one: who comes second is told, and
only where the file is a project's. The site's own files may say everything.

A record from before names were leases has none, and gets none, so that nothing of it changes: what it is called counts
as long had, where it already was in the network.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import IntEnum
from typing import TYPE_CHECKING

from stead.core.address import Address
from stead.core.diagnostics import Code, Diagnostic
from stead.core.named import NamedTuple
from stead.core.needs import Names, Need
from stead.core.recorded import Record
from stead.language.desired import Block

if TYPE_CHECKING:
    from stead.blueprint.claims import LeaseClaim

NAME_OF_ANOTHER = Code("STEAD-G008", "another project uses this DNS name in a shared network")


class Came(IntEnum):
    """When, and so who is first."""

    BY_LEASE = 0
    BEFORE_LEASES = 1
    NOW = 2


class NameClaim(NamedTuple):
    """In an order in which the first has the name."""

    came: Came
    project_file: bool
    project: str
    address: Address
    block: Block
    need: Need


def name_leases(
    claims: Iterable[LeaseClaim], records: Mapping[Address, Record], chosen: Mapping[Address, dict[str, str]]
) -> Iterator[Diagnostic]:
    """Adds to what was chosen, and tells who comes second."""
    asked: dict[tuple[str, str], dict[str, NameClaim]] = {}  # (space, name) -> the first claim of each project
    for one in claims:
        for need in one.needs:
            if isinstance(need.pool, Names):
                for address in one.block.members:
                    text, record = need.fixed or address.label, records.get(address)
                    if record is None or need.key in record.leases:
                        chosen[address][need.key] = text
                    came = _came(text, need, need.pool, record)
                    found = NameClaim(came, one.block.project_file, address.project, address, one.block, need)
                    of_project = asked.setdefault((need.space, text), {})
                    of_project[address.project] = min(found, of_project.get(address.project, found), key=_order)
    for (space, text), of_project in asked.items():
        if len(of_project) > 1:
            yield from _told(space, text, sorted(of_project.values(), key=_order))


def _came(text: str, need: Need, pool: Names, record: Record | None) -> Came:
    if record is None:
        return Came.NOW
    if need.key in record.leases:
        return Came.BY_LEASE if record.leases[need.key] == text else Came.NOW
    return Came.BEFORE_LEASES if pool.beside in record.leases else Came.NOW


def _order(one: NameClaim) -> tuple[Came, bool, str]:
    return one.came, one.project_file, one.project


def _told(space: str, text: str, ordered: list[NameClaim]) -> Iterator[Diagnostic]:
    first, *others = ordered
    for one in others:
        if one.project_file:
            why = f"The name {text} in {space} belongs to project {first.project}, which had it first. Choose another."
            yield NAME_OF_ANOTHER.at(one.block.place(), why, address=str(one.address))
