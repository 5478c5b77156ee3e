"""What a resource without a host asks for that no host of the inventory has: a name, a role, a machine of that size.

Decides only how that is told, and where: at the word of the spec. That nothing fits is placement's to find. The first
line names no host, for the API tells it to tenants; the lines below are for the site's operators.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from stead.blueprint.advice import amount
from stead.blueprint.placement.model import PlacementHost, Request
from stead.core.diagnostics import Place
from stead.core.named import NamedTuple
from stead.core.observed import Host, HostStatus
from stead.language import document
from stead.language.desired import Block
from stead.language.reading import nearest

LISTED = 8
ROLE = "role:"


class _Wish(NamedTuple):
    word: str  # what it is called
    field: str  # how the fields begin that have it
    asked: Iterable[str]
    known: Iterable[str]


def wishes(request: Request, block: Block, hosts: Sequence[PlacementHost]) -> list[tuple[Place | None, str]]:
    """Names that the inventory does not have, each with the place where the block has it; and what is too large."""
    return [*_names(request, block, hosts), *((None, text) for text in _too_large(request, hosts))]


def _names(request: Request, block: Block, hosts: Sequence[PlacementHost]) -> Iterator[tuple[Place | None, str]]:
    for wish in _wishes(request, hosts):
        known = sorted(set(wish.known))
        for name in sorted(set(wish.asked) - set(known)):
            there = f"{nearest(name, known)} It has {_some(known) if known else 'none'}.".lstrip()
            yield _written(block.node, wish.field, name), f"The inventory has no {wish.word} {name!r}.\n{there}"


def _wishes(request: Request, hosts: Sequence[PlacementHost]) -> Iterator[_Wish]:
    pools = {name.removeprefix("disk:") for name in request.demand if name.startswith("disk:")} | request.pools
    keeps = [name.removeprefix("disk:") for host in hosts for name in host.capacity if name.startswith("disk:")]
    traits = {trait for host in hosts for trait in host.traits if not _is_ours(trait)}
    zones = {host.zone for host in hosts}
    yield _Wish(
        f"{_role(request)} host".strip(), "host", {request.host} - {""}, [host.name for host in _able(request, hosts)]
    )
    yield _Wish("zone", "zone", request.zones if not request.zones & zones else (), zones)
    yield _Wish("trait", "trait", {one for one in request.required if not _is_ours(one)}, traits)
    yield _Wish("pool", "pool", pools, [*keeps, *(pool for host in hosts for pool in host.pools)])
    networks = [name for host in hosts for name in host.physical_networks]
    yield _Wish("physical network", "physical", request.physical_networks, networks)
    architectures = [host.architecture for host in hosts]
    yield _Wish("architecture", "architecture", {request.architecture} - {""}, architectures)


def _is_ours(trait: str) -> bool:
    """Roles and features are traits as well, which nobody writes."""
    return ":" in trait


def _written(node: document.Node, field: str, name: str) -> Place | None:
    """Where a field that begins so has this very name. None where it comes from elsewhere, such as a flavor."""
    match node:
        case document.Mapping():
            for word, below in node.entries.items():
                if word.startswith(field) and (place := _said(below, name)) is not None:
                    return place
                if (place := _written(below, field, name)) is not None:
                    return place
        case document.Sequence():
            return next((place for one in node.items if (place := _written(one, field, name)) is not None), None)
    return None


def _said(node: document.Node, name: str) -> Place | None:
    items = node.items if isinstance(node, document.Sequence) else [node]
    return next((one.place for one in items if isinstance(one, document.Scalar) and one.text == name), None)


def role(request: Request, hosts: Mapping[str, Host]) -> str:
    """That no host is there for this at all, or none that takes anything new; else nothing."""
    name = _role(request)
    there = [host for _, host in sorted(hosts.items()) if name in host.roles]
    if not name or any(host.state is HostStatus.UP for host in there):
        return ""
    if not there:
        return f"no host has the role {name}. Put a host into the group {name} of the inventory."
    why = [f"- {host.name}: {host.why or host.state.value}" for host in there[:LISTED]]
    more = [f"- {len(there) - LISTED} more"] if len(there) > LISTED else []
    return "\n".join([f"no host of the role {name} takes anything new.", *why, *more])


def _too_large(request: Request, hosts: Sequence[PlacementHost]) -> Iterator[str]:
    """It would not fit if the hosts were empty."""
    able = _able(request, hosts)
    for name, much in sorted(request.demand.items()):
        most, largest = max(((host.usable(name), host.name) for host in able), default=(0, ""))
        if 0 < most < much:
            text = f"It asks for {amount(name, much)}, and no host has so much. Ask for less."
            yield f"{text}\nThe largest, {largest}, has {amount(name, most)}. `stead capacity` shows what hosts have."


def _role(request: Request) -> str:
    return next((one.removeprefix(ROLE) for one in request.required if one.startswith(ROLE)), "")


def _able(request: Request, hosts: Sequence[PlacementHost]) -> list[PlacementHost]:
    """Those that are there for it."""
    role = _role(request)
    return [host for host in hosts if not role or f"{ROLE}{role}" in host.traits]


def _some(names: Sequence[str]) -> str:
    more = len(names) - LISTED
    return ", ".join(names[:LISTED]) + (f" and {more} more" if more > 0 else "")
