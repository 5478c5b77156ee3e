"""A volume that is managed no longer: its room in the pool is not sold again, and its image stays."""

from __future__ import annotations

from stead.core.address import parse
from stead.core.kind import Contribution, Left, Stays
from stead.language.desired import Desired


def left(stays: Stays, _desired: Desired) -> Left:
    address, host, fields = stays
    image = parse(((fields.get("origin") or {}).get("image") or {}).get("address", ""))
    fact = {"hosts": (host,), "user": str(address.block)}
    tells = (Contribution(image, "user", fact),) if image is not None else ()
    return Left(tells, amounts={f"disk:{fields['pool']['name']}": fields["size"]})
