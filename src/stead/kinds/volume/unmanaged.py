"""A volume that is managed no longer: its room in the pool is not sold again, and its image stays."""

from __future__ import annotations

from stead.core.address import parse
from stead.core.kind import Contribution, Retained, Unmanaged
from stead.language.desired import Desired


def retained(unmanaged: Unmanaged, _desired: Desired) -> Retained:
    address, host, fields = unmanaged
    image = parse(((fields.get("origin") or {}).get("image") or {}).get("address", ""))
    fact = {"hosts": (host,), "user": str(address.block)}
    contributions = (Contribution(image, "user", fact),) if image is not None else ()
    return Retained(contributions, amounts={f"disk:{fields['pool']['name']}": fields["size"]})
