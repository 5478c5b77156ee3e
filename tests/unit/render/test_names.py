"""Many names as few words, and none of them wrong."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some
from tests.unit.render.plans import at

from stead.plan.render.entries import is_address
from stead.plan.render.names import of_addresses, of_hosts, ranges
from stead.plan.render.values import shown, size


@given(some.sets(some.integers(0, 200)))
def test_ranges_hold_exactly_the_numbers(numbers: set[int]) -> None:
    found: set[int] = set()
    for part in ranges(sorted(numbers)):
        first, _, last = part.partition("..")
        found |= set(range(int(first), int(last or first) + 1))
    assert found == numbers


def test_addresses_fold_by_number_and_by_name() -> None:
    assert of_addresses([at(f"a/instances/w[{n}]") for n in (0, 1, 2, 5)]) == "instances/w[0..2,5]"
    assert of_addresses([at("a/instances/w[east]"), at("a/instances/w[west]")]) == "instances/w[east,west]"
    assert of_addresses([at("images/debian-12")]) == "images/debian-12"


def test_hosts_fold_in_natural_order() -> None:
    assert of_hosts(["compute-10", "compute-9", "compute-11", ""]) == "compute-[9..11]"
    assert of_hosts(["b", "a"]) == "a, b"
    assert of_hosts([]) == ""
    assert of_hosts([f"{letter}{letter}" for letter in "abcdefgh"]).startswith("8 hosts (aa, bb")


def test_leading_zeros_belong_to_the_name() -> None:
    assert of_hosts(["n08", "n09", "n10", "n07"]) == "n10, n0[7..9]"


def test_sizes_are_told_in_the_units_they_were_written_in() -> None:
    assert [size(n << 30) for n in (1, 10, 1024)] == ["1 GiB", "10 GiB", "1 TiB"]
    assert size(512 << 20) == "512 MiB"
    assert shown(4096, "vni") == "4096"
    assert shown(1 << 30, "root.size") == "1 GiB"


def test_only_addresses_are_taken_for_addresses() -> None:
    for text in ("10.0.0.1", "fd00::1", "2001:db8:0:1:2:3:4:5"):
        assert is_address(text)
    for text in ("52:54:00:aa:bb:cc", "10000", '{"type":"vxlan"}', "a1b2c3", "1.2.3", ""):
        assert not is_address(text)
