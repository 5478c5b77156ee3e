"""What is on two hosts: keepalived's configuration takes nothing but words, and who lost the election says who won."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.base import paths
from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.base.work import Work
from ansible_collections.stead.cloud.plugins.module_utils.host.net import arp_nd, takeover
from ansible_collections.stead.cloud.plugins.module_utils.host.net.linuxbridge import pairs

UUID = "11111111-1111-8111-8111-111111111111"
NETWORK = "33333333-3333-8333-8333-333333333333"
OWN, PEER, GUEST = "0a:17:00:00:00:02", "0a:18:00:00:00:02", "52:54:00:00:00:11"
WANT: dict[str, Any] = {
    "uuid": UUID,
    "interfaces": {
        "acme/networks/app": {"addresses": ["10.20.0.1/24"], "mac": OWN, "peer_mac": PEER, "network_uuid": NETWORK}
    },
}


def pair(address: str = "10.20.0.1/24", device: str = "n0a1700000002", via: str = "10.20.0.9") -> pairs.Pair:
    peers = {"network-1": "192.0.2.1", "network-2": "192.0.2.2"}
    routes = [("192.168.0.0/16", via, "")]
    return pairs.Pair(UUID, "ns", "/nowhere", {"peers": peers, "vni": 7}, [(device, address)], routes)


@pytest.mark.parametrize(
    "spoilt",
    [
        {"address": '10.20.0.1/24 dev lo\n}\nnotify "/bin/sh"'},
        {"device": "n0 {"},
        {"via": "10.20.0.9 # no more"},
        {"via": "$X"},
        {"via": '"'},
        {"via": ""},
    ],
)
def test_what_is_more_than_a_word_is_refused(spoilt: dict[str, str]) -> None:
    with pytest.raises(Failed) as failure:
        pairs.configuration(pair(**spoilt), "network-1")
    assert failure.value.code is not None
    assert failure.value.code.id == "STEAD-E212"


def test_both_hosts_are_told_the_same_but_for_who_is_first() -> None:
    one, other = (pairs.configuration(pair(), host).splitlines() for host in ("network-1", "network-2"))
    assert set(one) ^ set(other) == {"priority 254", "priority 253"}
    assert "nopreempt" in one


class Systemd(Work):
    """Where nobody answers `systemctl`, it is killed there."""

    def run(self, argv: Sequence[object], feed: str | None = None, timeout: float = 0) -> str:
        assert (feed, timeout) == (None, 0)
        self.done.append(" ".join(map(str, argv)))
        if self.host == "killed":
            raise KeyboardInterrupt
        return ""


def test_what_a_killed_run_did_not_tell_keepalived_the_next_one_tells(tmp_path: Path) -> None:
    one = pair()._replace(folder=str(tmp_path))
    with pytest.raises(KeyboardInterrupt):
        pairs.rewrite(one, Systemd("killed"))
    pairs.rewrite(one, look := Systemd("network-3", check=True))
    pairs.rewrite(one, again := Systemd("network-3"))
    pairs.rewrite(one, last := Systemd("network-3"))
    told = "systemctl kill --kill-who=main --signal=HUP " + pairs.unit_name(UUID)
    assert (look.done, again.done, last.done) == ([told], [told], [])


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "LEDGER", str(tmp_path))
    folder = tmp_path / "networks"
    folder.mkdir()
    known: dict[str, Any] = {OWN: {}, PEER: {}, GUEST: {}}
    (folder / f"{NETWORK}.json").write_text(json.dumps({"want": {"forwarding": known}}))


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize(("here", "said"), [(True, OWN), (False, PEER)])
def test_each_says_who_answers_to_all_and_to_each_guest(here: bool, said: str) -> None:
    frames = [frame for _device, frame in takeover.told(WANT, (), here)]
    assert {frame[:6] for frame in frames} == {arp_nd.EVERYBODY, arp_nd.octets(GUEST)} | (
        {arp_nd.octets(PEER)} if here else set()
    )
    assert {frame[6:12] for frame in frames} == {arp_nd.octets(OWN)}, "nobody sends in the other's name"
    assert {frame[22:28] for frame in frames} == {arp_nd.octets(said)}


@pytest.mark.usefixtures("ledger")
def test_who_is_alone_has_nobody_to_speak_for() -> None:
    port = {name: value for name, value in WANT["interfaces"]["acme/networks/app"].items() if name != "peer_mac"}
    assert takeover.told({**WANT, "interfaces": {"app": port}}, (), False) == []
