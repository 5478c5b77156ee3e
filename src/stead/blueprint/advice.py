"""What would help a resource that has no host, in words of the spec and the inventory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from stead.core.observed import Host

if TYPE_CHECKING:
    from stead.blueprint.placement import Suggestion
    from stead.blueprint.placement.filters import Broken

NAMED = 3  # hosts by name, of the many that may not answer
# A requirement by its stage in placement, as what a person can do about it.
_REMEDIES = {
    "architecture": "do without architecture {}",
    "hypervisor": "do without hypervisor {}",
    "project": "open a host to project {}",
    "host": "do not ask for host {}",
    "zone": "do not ask for zone {}",
    "trait": "do without trait {}",
    "feature": "do without {}",
    "forbidden": "allow trait {}",
    "pool": "do without pool {}",
    "network": "connect a host to physical network {}",
    "filter": "change the placement rule {} of the site",
    "data": "move its data from {}",
    "spread": "relax the spread of {}",
    "together": "relax the rule that keeps {} together",
}
_STATES = {"maintenance": "end the maintenance of a host", "leaving": "stop draining a host"}


def human(suggestion: Suggestion, hosts: Mapping[str, Host]) -> str:
    """`do not ask for zone b: 90 hosts would fit`, or `free 712 GiB of memory on compute-31`. Hosts that need the same
    are told together.
    """
    add = suggestion.add
    free = {
        host: {name: less for name, much in row.items() if (less := much - add.get(host, {}).get(name, 0)) > 0}
        for host, row in suggestion.free.items()
    }
    parts = [_remedy(one, hosts) for one in suggestion.relax]
    parts += [*_rooms("free", free, "on"), *_rooms("add", add, "to")]
    opens = f": {suggestion.opens} host{'s' if suggestion.opens != 1 else ''} would fit" if suggestion.opens else ""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts) + opens


def _remedy(one: Broken, hosts: Mapping[str, Host]) -> str:
    if one.stage == "state":
        return _STATES.get(one.value) or f"bring back a host that does not answer ({_silent(hosts)})"
    if one.is_role:
        return f"put a host into the group {one.value.partition(':')[2]} of the inventory"
    return _REMEDIES[one.stage].format(one.value)


def _silent(hosts: Mapping[str, Host]) -> str:
    """`compute-1: ssh: connect to host 10.0.0.1 port 22: No route to host`."""
    down = [host for _, host in sorted(hosts.items()) if not host.state.answers]
    more = f"; {len(down) - NAMED} more" if len(down) > NAMED else ""
    return "; ".join(f"{host.name}: {host.why.rstrip('.') or host.state.value}" for host in down[:NAMED]) + more


def _rooms(verb: str, amounts: Mapping[str, Mapping[str, int]], where: str) -> Iterator[str]:
    alike: dict[str, list[str]] = {}
    for host, row in amounts.items():
        if row:
            alike.setdefault(" + ".join(amount(name, much) for name, much in row.items()), []).append(host)
    for what, hosts in alike.items():
        yield f"{verb} {what} {where} {'each of ' if len(hosts) > 1 else ''}{', '.join(hosts)}"


def amount(resource: str, much: int) -> str:
    """A number with its unit, as people say it."""
    if resource == "memory" or resource.startswith("disk:"):
        for unit, size in (("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20)):
            if much >= size:
                return f"{much / size:.4g} {unit} of {resource.replace('disk:', 'pool ')}"
    return f"{much} {resource}"
