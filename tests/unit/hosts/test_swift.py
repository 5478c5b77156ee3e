"""The parts of driver swift that need no Swift: rings, settings and the firewall. The rest is in tests/lab."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from threading import Timer
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.base.work import Work
from ansible_collections.stead.cloud.plugins.module_utils.host.kinds import object_store
from ansible_collections.stead.cloud.plugins.module_utils.host.object.swift import client, ring, stores
from ansible_collections.stead.cloud.plugins.module_utils.host.object.swift import settings as texts
from ansible_collections.stead.cloud.plugins.module_utils.host.object.swift.buckets import Buckets
from stead.core.effect import Action
from stead.drivers.object import key_of
from stead.kinds import kinds

POWER = 7
WANT: dict[str, Any] = {
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
    some = ring.devices(WANT["hosts"], ["d2", "d1"])
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


@pytest.mark.parametrize("held", [True, False])
def test_a_host_that_was_called_dead_starts_no_program_of_its_store(
    held: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []
    monkeypatch.setattr(stores.Stores, "restore", lambda _self, want, _work: started.append(want["uuid"]))
    step: Any = {"want": {**WANT, "driver": "swift"}, "held": held}
    object_store.KIND.restore(step, Work("s1"))
    assert started == ([] if held else [WANT["uuid"]])
    assert object_store.KIND.asks_first, "it waits until others have said that it was not"


class Container:
    """Of a project whose people know Swift: what it does with a name and with headers of theirs, as Swift does it."""

    def __init__(self, *names: str) -> None:
        self.names, self.versions = list(names), ["v1"]
        self.elsewhere, self.gone, self.writes = True, False, 0

    def ask(
        self, method: str, path: str, _headers: object = None, body: bytes = b"", query: str = ""
    ) -> client.ProxyAnswer:
        if method == "HEAD":
            gone = self.gone or path.endswith("+segments")
            return client.ProxyAnswer(404 if gone else 204, {"x-container-object-count": str(len(self.names))}, b"")
        if query == "bulk-delete":
            lines = body.decode().splitlines()
            if not any(len(line) > 2564 for line in lines):
                self.names = [one for one in self.names if quote("/data/" + one) not in lines]
        elif method == "DELETE" and query:
            self.versions.remove(query.rpartition("=")[2])
        elif method == "DELETE":
            self.names.remove(path.rpartition("/")[2])
        self.names += [f"new{number}" for number in range(self.writes)]
        return client.ProxyAnswer(200, {}, b"")

    def do(self, method: str, path: str, headers: Mapping[str, str] | None = None) -> None:
        told = headers or {}
        assert path.startswith("/v1/AUTH_a/data")
        self.elsewhere = self.elsewhere and "x-remove-versions-location" not in told
        if self.elsewhere and "x-versions-enabled" in told:
            raise Failed(client.REFUSED, "It answers 400 to POST.")
        if method == "DELETE":
            assert (self.names, self.versions) == ([], [])
            self.gone = True

    def page(self, _path: str, query: str) -> list[dict[str, Any]]:
        if query:
            return [{"name": "one", "version_id": version} for version in self.versions]
        return [{"name": name} for name in self.names[:1000]]


@pytest.fixture
def removing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Container], None]:
    want = {"uuid": "u", "bucket": "data", "account": "a", "name": "acme/buckets/data", "store": {"uuid": "s"}}

    def remove(there: Container) -> None:
        mine = {"x-container-meta-stead": "u s1"}
        asked = there.ask
        monkeypatch.setattr(
            there,
            "ask",
            lambda *words, **named: (one := asked(*words, **named))._replace(headers={**mine, **one.headers}),
        )
        monkeypatch.setattr(f"{client.__package__}.buckets.client_of", lambda *_: there)
        Buckets().remove(want, Work("s1"))

    monkeypatch.setattr(stores, "entry_of", lambda _uuid: {})
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    return remove


def test_no_name_of_an_object_keeps_a_bucket(removing: Callable[[Container], None]) -> None:
    there = Container("plain", "한" * 341)  # 1023 bytes, and three times as many when quoted
    removing(there)
    assert there.gone


def test_versions_that_a_projects_people_sent_elsewhere_are_no_reason_to_keep_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = Container()
    monkeypatch.setattr(stores, "entry_of", lambda _uuid: {"accounts": {}})
    monkeypatch.setattr(f"{client.__package__}.buckets.client_of", lambda *_: there)
    want = {"uuid": "u", "bucket": "data", "account": "a", "name": "acme/buckets/data", "store": {"uuid": "s"}}
    Buckets().ensure({**want, "public": False, "versioning": True}, Work("s1"))
    assert not there.elsewhere


def test_who_goes_on_writing_is_told_and_not_waited_for(removing: Callable[[Container], None]) -> None:
    there = Container("one")
    there.writes = 1
    with pytest.raises(Failed, match="still has objects"):
        removing(there)
    assert not there.gone


def test_the_bucket_which_says_whose_it_is_goes_last(removing: Callable[[Container], None]) -> None:
    """So whoever comes after a kill does all of it again."""
    removed: list[str] = []

    class WithSegments(Container):
        def ask(self, method: str, *words: Any, **named: Any) -> client.ProxyAnswer:
            found = super().ask(method, *words, **named)
            return found._replace(status=204) if method == "HEAD" else found

        def do(self, method: str, path: str, headers: Mapping[str, str] | None = None) -> None:
            removed.extend([path] if method == "DELETE" else [])
            super().do(method, path, headers)

    removing(WithSegments())
    assert removed == ["/v1/AUTH_a/data+segments", "/v1/AUTH_a/data"]


class Kernel(Work):
    """Whose table of nftables is what was given last."""

    def __init__(self) -> None:
        super().__init__("s1")
        self.given: list[str] = []
        self.killed = False

    def run(self, argv: Sequence[object], feed: str | None = None, timeout: float = 0) -> str:
        assert not timeout
        if self.killed:
            raise KeyboardInterrupt
        self.given.append(feed or str(argv))
        return ""


def test_a_firewall_of_other_hosts_is_loaded_also_by_who_comes_after_a_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "FIREWALL", str(tmp_path / "firewall.nft"))
    monkeypatch.setattr(stores, "_swift", lambda: (1, 1))
    monkeypatch.setattr("os.chown", lambda *_: None)
    work = Kernel()
    monkeypatch.setattr(work.now, "listing", lambda *_: [{"table": {"name": work.given[-1]}}] if work.given else None)
    stores._firewall(WANT, work)
    stores._firewall(WANT, work)
    assert len(work.given) == 1
    more = {**WANT, "hosts": {**WANT["hosts"], "s3": {"address": "192.0.2.3", "zone": "a"}}}
    work.killed = True
    with pytest.raises(KeyboardInterrupt):
        stores._firewall(more, work)
    work.killed = False
    stores._firewall(more, work)
    assert "192.0.2.3" in work.given[-1]
    stores._firewall(more, work)
    assert len(work.given) == 2


def test_another_quota_of_a_project_is_set_where_its_bucket_is_and_replaces_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Account:
        def ask(self, _method: str, path: str) -> client.ProxyAnswer:
            told = {"x-container-meta-stead": "u s1"} if path.endswith("/data") else {"x-account-meta-quota-bytes": "1"}
            return client.ProxyAnswer(204, told, b"")

        def do(self, *_asked: object) -> None:
            pytest.fail("check mode changes nothing")

    monkeypatch.setattr(stores, "entry_of", lambda _uuid: {"accounts": {}})
    monkeypatch.setattr(f"{client.__package__}.buckets.client_of", lambda *_: Account())
    want = {"uuid": "u", "bucket": "data", "account": "a", "name": "acme/buckets/data", "store": {"uuid": "s"}}
    Buckets().ensure({**want, "public": False, "versioning": False, "account_quota": 2}, work := Work("s1", check=True))
    assert [field for field, _key in work.parts] == ["account_quota"]
    assert kinds()["buckets"].effect("account_quota", 1, 2, {}, {}).action is Action.UPDATE
