"""A snapshot that is managed no longer: its volume stays, for it would go with that."""

from __future__ import annotations

from stead.address import parse
from stead.desired import Desired
from stead.kind import Contribution, Left, Stays


def left(stays: Stays, _desired: Desired) -> Left:
    address, host, fields = stays
    volume = parse(fields["volume"]["address"])
    fact = {"hosts": (host,), "user": str(address.block)}
    return Left((Contribution(volume, "user", fact),) if volume is not None else ())
