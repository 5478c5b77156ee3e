"""Security rules become filters that let through what they say."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.net.linuxbridge import filters

GROUP = "acme/security_groups/web"
NIC: dict[str, Any] = {"groups": [GROUP]}
OWN = {"mac": "52:54:00:00:00:01", "addresses": ["10.20.0.11", "fd00::11"]}


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - what we wrote ourselves


def rules(text: str, match: str) -> list[dict[str, str]]:
    return [dict(one.attrib) for one in parsed(text).findall(f"rule/{match}")]


def test_a_rule_for_both_families_is_two() -> None:
    text = filters.group(GROUP, [{"direction": "in", "protocol": "tcp", "ports": ["80", "8000-8010"]}], stateful=True)
    ports = [{"dstportstart": "80", "dstportend": "80"}, {"dstportstart": "8000", "dstportend": "8010"}]
    assert rules(text, "tcp") == ports
    assert rules(text, "tcp-ipv6") == ports


def test_a_cidr_is_of_one_family() -> None:
    text = filters.group(GROUP, [{"direction": "in", "protocol": "any", "cidr": "10.0.0.0/8"}], stateful=True)
    assert rules(text, "all") == [{"srcipaddr": "10.0.0.0", "srcipmask": "8"}]
    assert rules(text, "all-ipv6") == []


def test_members_of_a_group_are_a_set_so_that_a_new_one_changes_no_filter() -> None:
    text = filters.group(GROUP, [{"direction": "out", "protocol": "any", "group": GROUP}], stateful=True)
    assert rules(text, "all") == [{"ipset": filters.set_name(GROUP, 4), "ipsetflags": "dst"}]
    assert len(filters.set_name(GROUP, 4) + "-n") <= 31


def test_an_interface_ends_with_nothing_more_let_through() -> None:
    root = parsed(filters.port(NIC, OWN))
    last = [one for one in root.findall("rule") if one.get("action") == "drop"]
    assert {one[0].tag for one in last} == {"all", "all-ipv6"}
    accepted = [int(one.get("priority", "")) for one in root.findall("rule") if one.get("action") == "accept"]
    assert all(int(one.get("priority", "")) > max(accepted) for one in last)


def test_neighbours_are_found_both_ways() -> None:
    """libvirt leaves out a rule with a type that is for both directions."""
    root = parsed(filters.port(NIC, OWN))
    found = {(one.get("direction"), one[0].get("type")) for one in root.findall("rule") if one[0].tag == "icmpv6"}
    assert {("in", "135"), ("out", "135"), ("in", "136"), ("out", "136"), ("out", "133"), ("in", "134")} <= found
    assert not [kind for direction, kind in found if direction == "inout"]


def test_a_filter_keeps_its_identity_when_it_changes() -> None:
    first = parsed(filters.group(GROUP, [], stateful=True)).findtext("uuid")
    other = filters.group(GROUP, [{"direction": "in", "protocol": "icmp"}], stateful=True)
    assert parsed(other).findtext("uuid") == first


def test_a_protocol_that_cannot_be_filtered_is_refused() -> None:
    with pytest.raises(Failed, match="gre"):
        filters.group(GROUP, [{"direction": "in", "protocol": "gre"}], stateful=True)
