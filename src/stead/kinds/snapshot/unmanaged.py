"""A snapshot that is managed no longer: its volume stays, for it would go with that."""

from __future__ import annotations

from stead.core.address import parse
from stead.core.kind import Contribution, Left, Stays
from stead.language.desired import Desired


def left(stays: Stays, _desired: Desired) -> Left:
    address, host, fields = stays
    volume = parse(fields["volume"]["address"])
    fact = {"hosts": (host,), "user": str(address.block)}
    return Left((Contribution(volume, "user", fact),) if volume is not None else ())
