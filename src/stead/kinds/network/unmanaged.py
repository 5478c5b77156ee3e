"""A network that is managed no longer: its number on the wire is its own as long as a host has it."""

from __future__ import annotations

from collections.abc import Iterator

from stead.core.kind import Retained, Unmanaged
from stead.kinds.network.needs import wire_space
from stead.language.desired import Desired


def retained(unmanaged: Unmanaged, _desired: Desired) -> Retained:
    return Retained(taken=tuple(_taken(unmanaged)), amounts={"services": 1} if "service" in unmanaged.fields else {})


def _taken(unmanaged: Unmanaged) -> Iterator[tuple[str, str]]:
    fields = unmanaged.fields
    for key in ("vni", "vlan"):
        if key in fields:
            yield wire_space(key, fields.get("physical")), str(fields[key])
    if "service" in fields:
        yield "mac", fields["service"]["mac"]
