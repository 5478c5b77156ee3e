"""What a guest may claim to be, as rules. That packets obey them is shown in tests/lab/test_networks.py."""

from __future__ import annotations

from typing import Any

from ansible_collections.stead.cloud.plugins.module_utils.host.net.linuxbridge import antispoof

MAC = "52:54:00:12:34:56"
OWN = {"mac": MAC, "addresses": ["10.20.0.11", "fd00::11"]}
LOCAL = "fe80::5054:ff:fe12:3456/128"


def sources(nic: dict[str, Any], mac: str, kind: str) -> set[str]:
    """What a MAC may send from."""
    start = f"ether saddr {mac} ether type {kind} {kind} saddr {{ "
    found = [one for one in antispoof.allowed(nic, OWN) if one.startswith(start) and one.endswith("} return")]
    return {address for one in found for address in one.removeprefix(start).partition(" }")[0].split(", ")}


def test_an_interface_may_use_its_own_addresses_alone() -> None:
    assert sources({}, MAC, "ip") == {"10.20.0.11/32"}
    assert antispoof.allowed({}, OWN)[-1] == "drop"
    six = [one for one in antispoof.allowed({}, OWN) if "ip6 saddr { fd00::11/128" in one and one.endswith("} return")]
    assert [LOCAL in one for one in six] == [True, True]


def test_an_allowed_address_belongs_to_its_mac() -> None:
    virtual = "00:00:5e:00:01:07"
    nic = {
        "allowed": [{"address": "10.20.0.100"}, {"address": "10.99.0.1/16"}, {"address": "10.0.0.9", "mac": virtual}]
    }
    assert sources(nic, MAC, "ip") == {"10.20.0.11/32", "10.20.0.100/32", "10.99.0.0/16"}
    assert sources(nic, virtual, "ip") == {"10.0.0.9/32"}


def test_all_addresses_make_one_member() -> None:
    """nftables refuses a set with one inside another."""
    assert sources({"allowed": [{"address": "0.0.0.0/0"}]}, MAC, "ip") == {"0.0.0.0/0"}


def test_a_network_of_ipv6_addresses_may_be_advertised_as_a_whole() -> None:
    told = [
        one
        for one in antispoof.allowed({"allowed": [{"address": "fd01::/64"}]}, OWN)
        if "nd-neighbor-advert @th" in one
    ]
    assert "0xfd010000000000000000000000000000-0xfd01000000000000ffffffffffffffff" in told[0]
