"""What a lab file may say, and that every mistake in one is told, with where it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from stead.core.diagnostics import Refused
from stead.lab.sizes import check_name, parse, read_sizes

EXAMPLES = Path(__file__).parents[3] / "inventories" / "lab"


def details(tree: object) -> list[str]:
    with pytest.raises(Refused) as refused:
        parse(tree, "lab.yml")
    return [one.detail for one in refused.value.diagnostics]


def test_without_a_file_there_are_five_hosts_of_all_roles() -> None:
    sizes = read_sizes(None)
    assert {one.name: one.count for one in sizes.sets} == {"controller": 1, "compute": 2, "storage": 1, "network": 1}
    assert sizes.base == "stocked"
    assert sizes.name is None


def test_a_number_is_short_for_a_count() -> None:
    assert parse({"hosts": {"compute": 3}}, "f").sets == parse({"hosts": {"compute": {"count": 3}}}, "f").sets


def test_a_set_says_everything_of_its_hosts() -> None:
    body = {
        "count": 2,
        "roles": ["compute", "storage"],
        "zone": ["a", "b"],
        "cpus": 4,
        "memory": "8GiB",
        "pools": {"fast": {"driver": "dir"}},
        "vars": {"traits": ["ssd"]},
    }
    (one,) = parse({"hosts": {"hyper": body}}, "f").sets
    assert (one.roles, one.zones, one.cpus, one.memory) == (("compute", "storage"), ("a", "b"), 4, 8 * 2**30)
    assert one.pools == {"fast": {"driver": "dir"}}
    assert one.variables == {"traits": ["ssd"]}


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ({"hosts": {"web": 1}}, "hosts.web.roles"),
        ({"hosts": {"compute": {"count": "two"}}}, "hosts.compute.count"),
        ({"hosts": {"compute": True}}, "hosts.compute"),
        ({"hosts": {"compute": {"memory": "8 gigs"}}}, "with its unit"),
        ({"hosts": {"compute": {"size": 1}}}, "no key 'size'"),
        ({"hosts": {"compute": 0}}, "0 hosts"),
        ({"hosts": {"compute": 201}}, "hosts.compute.count"),
        ({"hosts": {"neighbour": {"roles": ["compute"]}}}, "is taken"),
        ({"hosts": []}, "should be a mapping"),
        ({"base": "fat"}, "stocked or bare"),
        ({"name": "Lab"}, "name"),
        ({"mtu": 100}, "1280"),
        ({"underlay": "10.0.0.0/30"}, "too small"),
        ({"underlay": "nowhere"}, "not an IPv4 network"),
        ({"physical": {"external": {"cidr": "203.0.113.0/24", "hosts": ["moon"]}}}, "'moon'"),
        ({"physical": {"a-long-name-": {"cidr": "203.0.113.0/24"}}}, "up to 10"),
        ({"physical": {"external": {}}}, "not an IPv4 network"),
        ({"physical": {"external": {"cidr": "203.0.113.0/24", "cidr6": "x"}}}, "not an IPv6 network"),
        ("text", "should be a mapping"),
    ],
)
def test_a_mistake_is_told_with_its_place(tree: object, said: str) -> None:
    assert any(said in detail for detail in details(tree)), details(tree)


def test_all_mistakes_are_told_at_once() -> None:
    assert len(details({"base": "fat", "mtu": 1, "hosts": {"web": 1, "compute": {"memory": 1}}})) == 4


def test_yaml_that_cannot_be_read_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "lab.yml"
    path.write_text("hosts:\n  compute: [1\n", encoding="utf-8")
    with pytest.raises(Refused) as refused:
        read_sizes(path)
    (one,) = refused.value.diagnostics
    assert one.code == "STEAD-B005"
    assert one.place is not None
    assert one.place.line == 3


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="No such file"):
        read_sizes(tmp_path / "none.yml")


@pytest.mark.parametrize("name", ["", "9lives", "Lab", "a.b", "a_b", "thirteen-char", "-a", "a\n"])
def test_a_name_that_cannot_be_part_of_a_link_is_refused(name: str) -> None:
    with pytest.raises(Refused):
        check_name(name)


@pytest.mark.parametrize("name", ["a", "lab", "twelve-chars"])
def test_a_name_that_fits_is_taken(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yml")), ids=lambda path: path.name)
def test_every_example_is_a_lab_file(path: Path) -> None:
    assert read_sizes(path).sets
