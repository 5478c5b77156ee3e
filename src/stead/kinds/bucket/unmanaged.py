"""A bucket that goes, from its store or out of what is managed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stead.core.address import Address, parse
from stead.core.kind import Contribution, Retained, Unmanaged
from stead.language.desired import Desired


def leaves(have: Mapping[str, Any], want: Mapping[str, Any]) -> Iterator[Address]:
    """One host removes it, and all hosts of the store have a part in that."""
    store = _store(have)
    if store is not None and store != _store(want):
        yield store


def _store(fields: Mapping[str, Any]) -> Address | None:
    return parse((fields.get("store") or {}).get("address", ""))


def retained(unmanaged: Unmanaged, _desired: Desired) -> Retained:
    """Its project's people can reach it as before."""
    address, _host, fields = unmanaged
    store = _store(fields)
    fact = {
        "account": fields.get("account", ""),
        "bucket": fields.get("bucket", ""),
        "project": address.project,
        "public": fields.get("public", False),
    }
    return Retained((Contribution(store, "bucket", fact),) if store is not None else ())
