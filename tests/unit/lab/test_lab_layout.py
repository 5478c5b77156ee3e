"""Names and addresses: no two things of any two labs may meet, and the same lab is laid out the same."""

from __future__ import annotations

import ipaddress
import itertools

from hypothesis import given
from hypothesis import strategies as st

from stead.lab.layout import LabLayout, from_json, lay_out, to_json
from stead.lab.sizes import ROLES, parse

UNDERLAY = ipaddress.IPv4Network("10.201.7.0/24")
NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,11}", fullmatch=True)
COUNTS = st.dictionaries(st.sampled_from(ROLES), st.integers(1, 40), min_size=1)


def of(name: str, hosts: object = None) -> LabLayout:
    return lay_out(parse({} if hosts is None else {"hosts": hosts}, "f"), name, UNDERLAY)


def test_hosts_are_numbered_and_addressed_in_order() -> None:
    layout = of("lab")
    assert [(one.name, one.address) for one in layout.hosts] == [
        ("controller-1", "10.201.7.11"),
        ("compute-1", "10.201.7.12"),
        ("compute-2", "10.201.7.13"),
        ("storage-1", "10.201.7.14"),
        ("network-1", "10.201.7.15"),
    ]


def test_only_hosts_that_the_outside_is_for_have_a_link_to_it() -> None:
    outside = {one.name for one in of("lab").hosts if any(link.network == "external" for link in one.links)}
    assert outside == {"compute-1", "compute-2", "network-1"}


def test_zones_are_taken_in_turn() -> None:
    layout = of("lab", {"compute": {"count": 3, "zone": ["a", "b"]}})
    assert [one.zone for one in layout.hosts] == ["a", "b", "a"]


@given(NAMES, COUNTS)
def test_everything_in_a_lab_is_its_own(name: str, counts: dict[str, int]) -> None:
    layout = of(name, counts)
    links = [link for one in layout.hosts for link in one.links]
    for values in (
        [one.name for one in layout.hosts],
        [one.address for one in layout.hosts] + [layout.machine_address.split("/")[0]],
        [one.machine_id for one in layout.hosts],
        [link.mac for link in links],
        [link.port for link in links],
        list(layout.namespaces),
    ):
        assert len(values) == len(set(values))


@given(NAMES, NAMES, COUNTS)
def test_two_labs_share_no_name(first: str, second: str, counts: dict[str, int]) -> None:
    if first != second:
        one, other = of(first, counts), of(second, counts)
        assert not set(one.namespaces) & set(other.namespaces)
        assert one.machine_link != other.machine_link
        assert not {link.mac for host in one.hosts for link in host.links} & {
            link.mac for host in other.hosts for link in host.links
        }


@given(NAMES, COUNTS)
def test_links_have_names_the_kernel_takes(name: str, counts: dict[str, int]) -> None:
    layout = of(name, counts)
    ports = [(link.port, link.device) for one in layout.hosts for link in one.links]
    names = [layout.machine_link, *(one.bridge for one in layout.physical), *itertools.chain(*ports)]
    assert all(0 < len(each) <= 15 for each in names)


@given(NAMES, COUNTS)
def test_a_layout_survives_being_kept(name: str, counts: dict[str, int]) -> None:
    layout = of(name, counts)
    assert from_json(to_json(layout)) == layout


def test_the_largest_lab_fits_its_underlay() -> None:
    layout = of("lab", {"compute": 200})
    assert all(ipaddress.IPv4Address(one.address) in UNDERLAY for one in layout.hosts)
    assert layout.hosts[-1].address != str(UNDERLAY.broadcast_address)
