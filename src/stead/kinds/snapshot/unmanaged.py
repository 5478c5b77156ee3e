"""A snapshot that is managed no longer: its volume stays, for it would go with that."""

from __future__ import annotations

from stead.core.address import parse
from stead.core.kind import Contribution, Retained, Unmanaged
from stead.language.desired import Desired


def retained(unmanaged: Unmanaged, _desired: Desired) -> Retained:
    address, host, fields = unmanaged
    volume = parse(fields["volume"]["address"])
    fact = {"hosts": (host,), "user": str(address.block)}
    return Retained((Contribution(volume, "user", fact),) if volume is not None else ())
