"""Leases that a request was promised, before a run has recorded them."""

from __future__ import annotations

import pytest

from stead.core.address import Address
from stead.core.recorded import Promise, Record, Recorded, with_reserved

PORT = Address("acme", "ports", "www")


def _record(**leases: str) -> Record:
    return Record(address=PORT, leases=leases)


@pytest.mark.parametrize(
    ("recorded", "found"),
    [
        (None, {"v4": "10.1.0.2", "mac": "m"}),
        (
            {"v4": "10.0.0.2"},
            {"v4": "10.1.0.2", "mac": "m", "v4 until then": "10.0.0.2"},
        ),  # as it was when it was promised another
        ({"v4": "10.0.0.2", "mac": "n"}, {"v4": "10.1.0.2", "mac": "n", "v4 until then": "10.0.0.2"}),
        ({"v4": "10.1.0.2", "mac": "m"}, {"v4": "10.1.0.2", "mac": "m"}),
        ({"v4": "10.9.0.2", "mac": "m"}, {"v4": "10.9.0.2", "mac": "m"}),  # since then others have chosen
    ],
)
def test_a_promise_holds_until_what_it_comes_instead_of_is_gone(
    recorded: dict[str, str] | None, found: dict[str, str]
) -> None:
    before = Recorded(resources={PORT: _record(**recorded)} if recorded is not None else {})
    promise = Promise(_record(v4="10.1.0.2", mac="m"), {"v4": "10.0.0.2"})
    assert with_reserved(before, {PORT: promise}).resources[PORT].leases == found
