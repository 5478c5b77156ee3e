"""A network that is managed no longer: its number on the wire is its own as long as a host has it."""

from __future__ import annotations

from collections.abc import Iterator

from stead.core.kind import Left, Stays
from stead.kinds.network.needs import wire_space
from stead.language.desired import Desired


def left(stays: Stays, _desired: Desired) -> Left:
    return Left(taken=tuple(_taken(stays)), amounts={"services": 1} if "service" in stays.fields else {})


def _taken(stays: Stays) -> Iterator[tuple[str, str]]:
    fields = stays.fields
    for key in ("vni", "vlan"):
        if key in fields:
            yield wire_space(key, fields.get("physical")), str(fields[key])
    if "service" in fields:
        yield "mac", fields["service"]["mac"]
