"""The parts of driver swift that need no Swift: rings, settings and the firewall. The rest is in tests/lab."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from threading import Timer
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.base.work import Work
from ansible_collections.stead.cloud.plugins.module_utils.host.object.swift import client, ring, stores
from ansible_collections.stead.cloud.plugins.module_utils.host.object.swift import settings as texts
from ansible_collections.stead.cloud.plugins.module_utils.host.object.swift.buckets import Buckets
from stead.drivers.object import key_of

POWER = 7
WANT = {
    "uuid": "11111111-0000-4000-8000-000000000001",
    "hosts": {"s1": {"address": "192.0.2.1", "zone": "a"}, "s2": {"address": "2001:db8::2", "zone": "b"}},
    "port": 8080,
    "tls": True,
    "mounted": False,
}
hosts_of_zones = st.lists(st.integers(1, 3), min_size=1, max_size=4).map(
    lambda counts: {
        f"s{zone}-{number}": {"address": f"192.0.2.{10 * zone + number}", "zone": f"z{zone}"}
        for zone, count in enumerate(counts)
        for number in range(count)
    }
)


def kept(some: Sequence[ring.Device], replicas: int) -> list[set[ring.Device]]:
    rows = ring.assign(some, POWER, replicas)
    return [{some[row[part]] for row in rows} for part in range(1 << POWER)]


@settings(max_examples=40, deadline=None)
@given(hosts_of_zones, st.integers(1, 4))
def test_copies_are_as_far_apart_as_they_can_be(hosts: dict[str, dict[str, str]], replicas: int) -> None:
    some = ring.devices(hosts, ["d1", "d2"])
    zones = len({one.zone for one in some})
    for devices in kept(some, replicas):
        assert len(devices) == min(replicas, len(some)), "no copy beside another on one device"
        assert len({one.zone for one in devices}) == min(replicas, zones)
        assert len({one.host for one in devices}) == min(replicas, len(hosts))


@settings(max_examples=40, deadline=None)
@given(hosts_of_zones, st.integers(1, 4), st.data())
def test_a_host_that_goes_moves_no_copy_that_it_did_not_keep(
    hosts: dict[str, dict[str, str]], replicas: int, data: st.DataObject
) -> None:
    """And the same of one that comes, backwards."""
    gone = data.draw(st.sampled_from(sorted(hosts)))
    left = {name: one for name, one in hosts.items() if name != gone}
    before, after = kept(ring.devices(hosts, ["d1"]), replicas), kept(ring.devices(left, ["d1"]), replicas)
    for was, now in zip(before, after, strict=True):
        if not any(one.host == gone for one in was):
            assert now == was
        assert len(now - was) <= 1


def test_devices_keep_about_as_much() -> None:
    hosts = {f"s{number}": {"address": f"192.0.2.{number}", "zone": f"z{number % 4}"} for number in range(1, 9)}
    some = ring.devices(hosts, ["d1", "d2"])
    count = Counter(device for row in ring.assign(some, 12, 3) for device in row)
    assert min(count.values()) > 0.85 * max(count.values())


def test_a_ring_is_the_same_file_on_every_host_and_says_what_it_is_made_from() -> None:
    some = ring.devices(WANT["hosts"], ["d2", "d1"])  # type: ignore[arg-type]
    marked = ring.mark(some, POWER, 2, 6200)
    files = {ring.file_of(some, ring.assign(some, POWER, 2), POWER, 6200, marked) for _ in range(2)}
    assert len(files) == 1
    assert ring.mark_of(files.pop()) == marked
    assert marked != ring.mark(some, POWER, 2, 6201)


@pytest.mark.parametrize("damaged", [b"", b"x", b"\x1f\x8b\x08\x00"])
def test_a_damaged_ring_is_none(damaged: bytes) -> None:
    assert ring.mark_of(damaged) == ""


def test_the_firewall_lets_in_hosts_of_the_store_and_drops_the_rest() -> None:
    text = texts.firewall(WANT)
    accepted = [line.strip() for line in text.splitlines() if line.strip().endswith("accept")]
    assert accepted[:2] == ["ip saddr { 192.0.2.1 } accept", "ip6 saddr { 2001:db8::2 } accept"]
    lines = [line.strip() for line in text.splitlines()]
    assert ("ip6 saddr { 2001:db8::2 } accept", "drop") in pairwise(lines)


def test_no_program_is_told_a_secret() -> None:
    told = texts.programs({**WANT, "secret": {"$secret": "sealed"}}, "192.0.2.1")
    assert not any("secret" in one.settings for one in told.values())
    assert {one.user for one in told.values()} == {"swift", "root"}


def test_servers_are_on_the_address_between_hosts() -> None:
    told = texts.programs(WANT, "192.0.2.1")
    assert all("bind_ip = 192.0.2.1" in one.settings for name, one in told.items() if name.endswith("-server"))
    assert "address = 192.0.2.1" in told["rsync"].settings


def test_both_halves_make_the_same_key() -> None:
    assert client.key_of("secret", "account") == key_of("secret", "account").reveal()


def test_who_looks_at_a_store_that_does_not_answer_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    store = {**WANT, "tls": False, "hosts": {"s1": {"address": "127.0.0.1", "zone": "a"}}, "port": 1}
    monkeypatch.setattr(stores, "entry_of", lambda _uuid: store)
    asked: list[str] = []

    def silent(_self: client.Client) -> bool:
        asked.append("once")
        return False

    monkeypatch.setattr(client.Client, "answers", silent)
    monkeypatch.setattr("time.sleep", lambda _seconds: pytest.fail("it waits"))
    want = {"uuid": "u", "bucket": "data", "account": "a", "name": "acme/buckets/data", "store": {"uuid": "s"}}
    with pytest.raises(Failed, match="does not answer"):
        Buckets().ensure({**want, "public": False, "versioning": False}, Work("s1", check=True))
    assert asked == ["once"]


def test_what_a_projects_people_changed_is_told_by_field(monkeypatch: pytest.MonkeyPatch) -> None:
    want: dict[str, Any] = {
        "uuid": "u",
        "bucket": "data",
        "account": "a",
        "name": "acme/buckets/data",
        "store": {"uuid": "s"},
    }
    want |= {"public": False, "versioning": True, "quota": 10}
    there = {
        "x-container-meta-stead": "u s1",
        "x-container-read": "rival:owner",
        "x-versions-enabled": "True",
        "x-container-meta-quota-bytes": "10",
    }

    class Told:
        def ask(self, _method: str, path: str) -> client.ProxyAnswer:
            return client.ProxyAnswer(204, there if path.endswith("/data") else {}, b"")

        def do(self, *_asked: object) -> None:
            pytest.fail("check mode changes nothing")

    monkeypatch.setattr(stores, "entry_of", lambda _uuid: {"accounts": {}})
    monkeypatch.setattr(f"{client.__package__}.buckets.client_of", lambda *_: Told())
    work = Work("s1", check=True)
    Buckets().ensure(want, work)
    assert set(work.parts) == {("public", None)}
    there["x-container-read"] = ""
    work = Work("s1", check=True)
    Buckets().ensure(want, work)
    assert not work.changed


def test_a_store_is_made_once_its_proxy_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        Timer(0.3, listening.listen).start()
        stores.await_proxy("127.0.0.1", port)
    monkeypatch.setattr(stores, "STARTS_WITHIN", 0.0)
    with pytest.raises(Failed, match=r"STEAD-E524.*127\.0\.0\.1 at port"):
        stores.await_proxy("127.0.0.1", port)
