"""How a resource calls a network that it is in, in the keys of what it is lent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from stead.core.address import Address


def short(network: Address, project: str) -> str:
    """`app`; the site's networks as `site:public`, since a project may have one of the same name."""
    return network.label if network.project == project else f"site:{network.label}"


def keys(networks: Sequence[Address], project: str) -> Iterator[str]:
    """A key for each, in order. Who is in a network twice has `app` and `app:2`."""
    seen: dict[str, int] = {}
    for network in networks:
        name = short(network, project)
        seen[name] = seen.get(name, 0) + 1
        yield name if seen[name] == 1 else f"{name}:{seen[name]}"


def renamed(leases: Mapping[str, str], address: Address, renames: Mapping[Address, Address]) -> Mapping[str, str]:
    """`nics.app.mac` is `nics.backend.mac` once the network is: an interface keeps what it was lent."""
    project = address.project
    names = {
        short(old, project): short(new, project)
        for old, new in renames.items()
        if old.kind == "networks" and old.project in (project, "")
    }
    return {_renamed(key, names): value for key, value in leases.items()} if names else leases


def _renamed(key: str, names: Mapping[str, str]) -> str:
    family, dot, rest = key.partition(".")
    if not dot:
        return key
    called, _, lease = rest.partition(".")
    name, colon, number = called.rpartition(":")
    if not (colon and number.isdigit()):
        name, colon, number = called, "", ""
    return f"{family}.{names.get(name, name)}{colon}{number}.{lease}" if lease else key
