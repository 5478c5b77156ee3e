"""Addresses that a server's owner writes for people to read. Others are told them too, so they are nothing else."""

from __future__ import annotations

import pytest

from stead.serve.compute.creation import only_told
from stead.serve.faults import Fault


def test_addresses_are_kept_in_their_short_form_or_taken_back() -> None:
    said = {"accessIPv4": "192.0.2.1", "accessIPv6": "2001:DB8:0::1"}
    assert only_told(said) == {"accessIPv4": "192.0.2.1", "accessIPv6": "2001:db8::1"}
    assert only_told({"accessIPv4": "", "accessIPv6": None}) == {"accessIPv4": None, "accessIPv6": None}


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("accessIPv6", "fe80::1%x\nSet-Cookie: a=b"),
        ("accessIPv6", "fe80::1%" + "a" * 100_000),
        ("accessIPv6", "192.0.2.1"),
        ("accessIPv4", "2001:db8::1"),
        ("accessIPv4", "192.0.2.1\n"),
        ("accessIPv4", "x" * 1000),
        ("accessIPv4", 5),
    ],
)
def test_what_is_no_address_of_that_version_is_refused(word: str, text: object) -> None:
    with pytest.raises(Fault, match=f"is no address of IPv{word[-1]}") as refused:
        only_told({word: text})
    assert len(str(refused.value)) < 200
