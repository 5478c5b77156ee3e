"""A bucket that is managed no longer: its project's people can reach it as before."""

from __future__ import annotations

from stead.core.address import parse
from stead.core.kind import Contribution, Retained, Unmanaged
from stead.language.desired import Desired


def retained(unmanaged: Unmanaged, _desired: Desired) -> Retained:
    address, _host, fields = unmanaged
    store = parse((fields.get("store") or {}).get("address", ""))
    fact = {
        "account": fields.get("account", ""),
        "bucket": fields.get("bucket", ""),
        "project": address.project,
        "public": fields.get("public", False),
    }
    return Retained((Contribution(store, "bucket", fact),) if store is not None else ())
