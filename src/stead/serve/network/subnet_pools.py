"""Subnet pools: ranges of a project that its subnets are cut from, so that none has what another one of it has.

The API alone knows them. A subnet's addresses are chosen in the edit that makes it, and the document says them from
then on, as if they had been written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from stead.core.named import NamedTuple
from stead.serve.edits import Content, change, entry_of, remove
from stead.serve.faults import bad, conflict, not_found
from stead.serve.routes import Call
from stead.serve.world import BORN, CloudState, made_of, moment

POOLS = "serve_subnet_pools"  # a section of documents that the planner does not read
OF_POOL = "pool"  # in what is noted of a subnet
LEAST = {4: 8, 6: 64}  # bits of the largest subnet, where nothing is said
Range = IPv4Network | IPv6Network


class SubnetPool(NamedTuple):
    id: str
    key: str
    project: str
    known: Mapping[str, Any]

    @property
    def version(self) -> int:
        return ip_network(self.known["prefixes"][0]).version


def pool_id(world: CloudState, project: str, key: str) -> str:
    return made_of(world.project_id(project), "subnet pool", key)


def pools_of(world: CloudState, projects: Iterable[str] | None) -> Iterator[SubnetPool]:
    for project in sorted(world.documents) if projects is None else projects:
        document = world.documents.get(project)
        for key, known in document.content.get(POOLS, {}).items() if document else ():
            yield SubnetPool(pool_id(world, project, key), key, project, known)


def find_pool(call: Call, world: CloudState, id_: str) -> SubnetPool:
    for one in pools_of(world, None if call.caller.admin else [call.caller.project]):
        if one.id == id_:
            return one
    raise not_found("Subnet pool", id_)


def own_pool(call: Call) -> SubnetPool:
    found = find_pool(call, call.world, call.path["id"])
    call.act_in(found.project)
    return found


def pool_data(world: CloudState, pool: SubnetPool) -> dict[str, Any]:
    project, known = world.project_id(pool.project), pool.known
    return {
        "id": pool.id,
        "name": known.get("name", ""),
        "description": known.get("description", ""),
        "tenant_id": project,
        "project_id": project,
        "prefixes": list(known["prefixes"]),
        "ip_version": pool.version,
        **{f"{name}_prefixlen": known[name] for name in ("min", "default", "max")},
        "default_quota": None,
        "address_scope_id": None,
        "shared": False,
        "is_default": False,
        "tags": list(known.get("tags", ())),
        "revision_number": 1,
        "created_at": moment(known.get("created", BORN)),
        "updated_at": moment(known.get("updated", known.get("created", BORN))),
    }


def pool_fields(said: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Of a body, over what it was: a pool only grows, since subnets may have any of it."""
    prefixes = _ranges(said["prefixes"]) if "prefixes" in said else [*map(ip_network, before["prefixes"])]
    version = prefixes[0].version
    for old in map(ip_network, before.get("prefixes", ())):
        if not any(_holds(new, old) for new in prefixes):
            raise bad(f"The prefixes of a pool only grow, and {old} would be missing.")
    least = _length(said, "min", before, LEAST[version])
    sizes = {
        "min": least,
        "default": _length(said, "default", before, least),
        "max": _length(said, "max", before, prefixes[0].max_prefixlen),
    }
    if not 0 < sizes["min"] <= sizes["default"] <= sizes["max"] <= prefixes[0].max_prefixlen:
        raise bad("min_prefixlen, default_prefixlen and max_prefixlen have to be in this order.")
    words = {name: said[name] or "" for name in ("name", "description") if name in said}
    return {**before, **words, **sizes, "prefixes": [str(one) for one in prefixes]}


def _length(said: Mapping[str, Any], name: str, before: Mapping[str, Any], otherwise: int) -> int:
    asked = said.get(f"{name}_prefixlen")
    return int(before.get(name, otherwise) if asked is None else asked)


def _ranges(texts: Sequence[str]) -> list[Range]:
    try:
        found = [ip_network(one, strict=False) for one in texts]
    except ValueError as error:
        raise bad(f"Invalid input for prefixes: {str(error)[:100]}.") from error
    if len({one.version for one in found}) != 1:
        raise bad("All prefixes of a pool are of one family.")
    return sorted(dict.fromkeys(found), key=lambda one: (int(one.network_address), one.prefixlen))


def _holds(outer: Range, inner: Range) -> bool:
    return outer.version == inner.version and outer.prefixlen <= inner.prefixlen and inner.overlaps(outer)


def cut(content: Content, said: Mapping[str, Any]) -> str:
    """The addresses of a new subnet of the pool: apart from all subnets of the project, which its routers may join."""
    pool = entry_of(content, POOLS, said[OF_POOL])
    ranges = [ip_network(one) for one in pool["prefixes"]]
    if said.get("ip_version") not in (None, ranges[0].version):
        raise bad(f"The pool has IPv{ranges[0].version} addresses.")
    taken = [
        ip_network(subnet["cidr"])
        for network in content.get("networks", {}).values()
        for subnet in network.get("subnets", {}).values()
    ]
    if said.get("cidr"):
        return _asked(said["cidr"], pool, ranges, taken)
    length = int(said.get("prefixlen") or pool["default"])
    _must_be_allowed(length, pool)
    found = free_range(ranges, length, taken)
    if found is None:
        raise conflict(f"The subnet pool has no free range of /{length} left.")
    return str(found)


def _asked(text: str, pool: Mapping[str, Any], ranges: Sequence[Range], taken: Iterable[Range]) -> str:
    asked = _ranges([text])[0]
    _must_be_allowed(asked.prefixlen, pool)
    if not any(_holds(one, asked) for one in ranges):
        raise bad(f"{asked} is not in the subnet pool.")
    if other := next((one for one in taken if one.version == asked.version and one.overlaps(asked)), None):
        raise conflict(f"{asked} overlaps with {other}, which a subnet of the project has.")
    return str(asked)


def _must_be_allowed(length: int, pool: Mapping[str, Any]) -> None:
    if not pool["min"] <= length <= pool["max"]:
        raise bad(f"A subnet of the pool has a prefix from /{pool['min']} to /{pool['max']}, and not /{length}.")


def free_range(ranges: Iterable[Range], length: int, taken: Sequence[Range]) -> Range | None:
    """The first one: behind each that is in its way, at the next place where it can begin."""
    for whole in ranges:
        size = 1 << (whole.max_prefixlen - length)
        start, last = int(whole.network_address), int(whole.broadcast_address)
        others = sorted(
            (int(one.network_address), int(one.broadcast_address)) for one in taken if one.version == whole.version
        )
        for low, high in others:
            if low < start + size and high >= start:
                start = -(-(high + 1) // size) * size
        if start + size - 1 <= last and length >= whole.prefixlen:
            return type(whole)((start, length))
    return None


def remove_pool(key: str, notes: str) -> Any:
    """`notes` is the section that says of subnets which pool they are of."""

    def edit(content: Content) -> Content:
        if any(one.get(OF_POOL) == key for one in content.get(notes, {}).values()):
            raise conflict("The subnet pool has subnets. Delete them first.")
        return remove(content, POOLS, key)

    return edit


def change_known(key: str, fields: Mapping[str, Any]) -> Any:
    return lambda content: change(content, POOLS, key, fields)
