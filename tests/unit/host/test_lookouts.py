"""A lookout stands on the bridge of its network, once however many guests are looked at, and goes with its call."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.base import commands, ledger, readings
from ansible_collections.stead.cloud.plugins.module_utils.host.net.linuxbridge import naming
from ansible_collections.stead.cloud.plugins.module_utils.host.run import lookouts

UUID = "0b1f4d4e-9c0e-4a55-8a3c-0d8c0f6f0001"
SOURCE = {"address": "10.20.0.2/24", "mac": "02:00:00:00:00:01"}


def test_a_lookout_is_cabled_to_the_bridge_of_its_network_and_taken_down(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    there = set[str]()

    def run(argv: list[str], feed: str = "", **_more: Any) -> str:
        said.extend([" ".join(argv), *(feed or "").splitlines()])
        return ""

    monkeypatch.setattr(commands, "run", run)
    monkeypatch.setattr(readings.Readings, "links", lambda _self, *_of: {key: {} for key in there})
    monkeypatch.setattr(readings.Readings, "namespaces", lambda _self: there)
    monkeypatch.setattr(ledger, "read", lambda _kind, uuid: {"want": {"uuid": uuid, "type": "vxlan"}})
    stands = lookouts.Lookouts("h")
    name = stands.at(UUID, SOURCE, 1450)
    outside = naming.lookout_name(UUID)
    assert f"ip netns add {name}" in said
    assert any(line.startswith(f"link set {outside} master {naming.bridge_name(UUID)}") for line in said)
    begun = len(said)
    assert stands.at(UUID, SOURCE, 1450) == name
    assert len(said) == begun
    there |= {outside, name}
    stands.close()
    assert said[begun:] == [f"ip link delete {outside}", f"ip netns delete {name}"]
