"""A snapshot that is managed no longer: what it is of stays, for it would go with that."""

from __future__ import annotations

from stead.core.address import parse
from stead.core.kind import Contribution, Retained, Unmanaged
from stead.language.desired import Desired


def retained(unmanaged: Unmanaged, _desired: Desired) -> Retained:
    address, host, fields = unmanaged
    source = parse((fields.get("volume") or fields["instance"])["address"])
    fact = {"hosts": (host,), "user": str(address.block)}
    return Retained((Contribution(source, "user", fact),) if source is not None else ())
