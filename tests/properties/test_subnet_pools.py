"""A range that a subnet pool gives is one of it that nothing has, and there is one as long as there can be."""

from __future__ import annotations

from ipaddress import IPv4Network

from hypothesis import given
from hypothesis import strategies as st

from stead.serve.network.subnet_pools import free_range

WHOLE = IPv4Network("10.0.0.0/27")
OTHER = IPv4Network("10.1.0.0/24")
PARTS = [part for length in range(28, 33) for part in WHOLE.subnets(new_prefix=length)] + [IPv4Network("10.0.0.0/8")]


@given(st.lists(st.sampled_from(PARTS[:-1]), max_size=12), st.integers(28, 32))
def test_it_is_the_first_that_is_free(taken: list[IPv4Network], length: int) -> None:
    every = [one for one in WHOLE.subnets(new_prefix=length) if not any(one.overlaps(other) for other in taken)]
    assert free_range([WHOLE], length, taken) == (every[0] if every else None)


@given(st.sampled_from(PARTS), st.integers(20, 32))
def test_it_is_never_larger_than_what_it_is_of(taken: IPv4Network, length: int) -> None:
    found = free_range([WHOLE, OTHER], length, [taken])
    assert found is None or ((found.overlaps(WHOLE) or found.overlaps(OTHER)) and found.prefixlen == length >= 24)
