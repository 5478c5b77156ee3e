"""How a resource calls a network that it is in, in the keys of what it is lent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stead.address import Address


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
