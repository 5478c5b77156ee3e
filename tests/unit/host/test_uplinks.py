"""What a host refuses of a router behind its address, and what comes by its cable."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.net.linuxbridge import (
    floating_ips,
    forwards,
    router_rules,
    uplinks,
)

UPLINK = {
    "address": "169.254.64.2/30",
    "gateway": "169.254.64.1",
    "closed": ["10.0.0.1", "10.0.0.2"],
    "name_servers": ["192.168.1.1"],
    "open": ["192.168.1.0/24"],
}
WANT: dict[str, Any] = {
    "uuid": "11111111-1111-8111-8111-111111111111",
    "uplink": UPLINK,
    "interfaces": {},
    "snat": ["10.20.0.0/24"],
    "forwards": {"tcp/8080": "10.20.0.5:80", "udp/53": "10.20.0.5:5353"},
}


@pytest.mark.parametrize(
    ("key", "to"),
    [
        ("tcp/8080", "10.20.0.5:80; flush ruleset"),
        ("tcp/80 accept", "10.20.0.5:80"),
        ("icmp/8", "10.20.0.5:80"),
        ("tcp/0", "10.20.0.5:80"),
        ("tcp/8080", "10.20.0.5:65536"),
        ("tcp/8080", "::1:80"),
        ("tcp/8080", "10.20.0.5"),
    ],
)
def test_what_could_be_more_than_a_forward_is_refused(key: str, to: str) -> None:
    with pytest.raises(Failed) as refused:
        forwards.read({"forwards": {key: to}})
    assert "STEAD-E220" in str(refused.value)


def test_a_port_that_a_program_uses_is_refused_and_one_that_is_forwarded_already_is_not() -> None:
    here = [{"map": {"name": "of_udp", "elem": [[53, "169.254.64.2"]]}}]
    for used, refused in (({"tcp": {8080}}, True), ({"tcp": {80}, "udp": {53, 8080}}, False)):
        now = SimpleNamespace(listing=lambda _table: here, ask=lambda _name, _read, used=used: used)
        work = cast("Any", SimpleNamespace(host="one", now=now))
        if refused:
            with pytest.raises(Failed, match="tcp port 8080 of one is in use there") as found:
                uplinks.free(WANT, work)
            assert "STEAD-E221" in str(found.value)
        else:
            uplinks.free(WANT, work)


def test_hosts_are_closed_before_anything_is_opened_and_what_is_private_last() -> None:
    rules = uplinks.allowed(cast("Any", UPLINK))
    hosts = next(at for at, rule in enumerate(rules) if "10.0.0.1" in rule)
    opened = next(at for at, rule in enumerate(rules) if "192.168.1.0/24 } accept" in rule)
    private = next(at for at, rule in enumerate(rules) if "172.16.0.0/12" in rule)
    assert hosts < opened < private
    assert rules[private + 1 :] == ["accept"]
    assert "ip daddr { 192.168.1.1/32 } meta l4proto { tcp, udp } th dport 53 accept" in rules[:hosts]


def test_a_router_without_forwards_has_the_rules_that_it_had_before() -> None:
    """So that an upgrade gives no router its rules anew."""
    text = router_rules.written({"interfaces": {}, "snat": []})
    assert "clamp" not in text
    assert [line for line in text.splitlines() if "dnat to" in line] == [
        "add rule ip stead before dnat to ip daddr map @inward"
    ]


def test_forwards_are_for_the_routers_own_address() -> None:
    external = {"addresses": ["203.0.113.9/24", "2001:db8::9/64"], "mac": "52:54:00:00:00:01"}
    assert forwards.translations({"external": external, "forwards": {"tcp/8080": "10.20.0.5:80"}}) == [
        "ip daddr 203.0.113.9 tcp dport 8080 dnat to 10.20.0.5:80"
    ]
    assert "ip daddr 169.254.64.2 udp dport 53 dnat to 10.20.0.5:5353" in router_rules.written(WANT)


def test_a_router_brings_back_no_floating_ip_that_is_removed_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are steps of one batch, and the ledger that the router has read still had it."""
    put: list[str] = []
    monkeypatch.setattr(floating_ips, "put", lambda want, *_others: put.append(want["uuid"]))
    monkeypatch.setattr(floating_ips, "_removed", set())
    work = cast("Any", None)
    floating_ips.put_again({"uuid": "one"}, work, {})
    floating_ips.remove({"uuid": "one"}, work)
    floating_ips.put_again({"uuid": "one"}, work, {})
    floating_ips.put_again({"uuid": "two"}, work, {})
    assert put == ["one", "two"]


def test_a_router_whose_chain_somebody_took_away_can_be_removed() -> None:
    """What is not there cannot be flushed: nftables would refuse the whole of it."""
    lines = uplinks._gone("su111111111111", WANT, uplinks.Members({"su111111111111", "su2"}, set(), set(), {}))
    chain = "chain inet stead_uplinks su111111111111"
    assert lines[-3:] == [f"add {chain}", f"flush {chain}", f"delete {chain}"]
