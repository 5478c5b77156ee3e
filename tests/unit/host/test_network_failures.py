"""What a host cannot do for its networks it says with a code, before it touches anything."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.base import commands
from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.base.work import Work
from ansible_collections.stead.cloud.plugins.module_utils.host.net import arp_nd, entering
from ansible_collections.stead.cloud.plugins.module_utils.host.net.linuxbridge import (
    conntrack,
    dhcp,
    filters,
    floating_ips,
    naming,
    networks,
)

UUID = "11111111-0000-4000-8000-000000000001"
BRIDGE = naming.bridge_name(UUID)
FLAT: dict[str, Any] = {"uuid": UUID, "type": "flat", "physical": "external", "device": "eth1"}
VLAN: dict[str, Any] = {**FLAT, "type": "vlan", "vlan": 7}
HELD = {"addr_info": [{"local": "192.0.2.1", "prefixlen": 24, "scope": "global"}]}
TABLE = [{"map": {"name": "zones", "elem": [[f"br{at}", at] for at in range(1, conntrack.LAST + 1)]}}]


def work(links: dict[str, Any] | None = None, *, check: bool = False, **more: Any) -> Work:
    now: Any = SimpleNamespace(
        links=lambda *_inside: links or {},
        namespaces=set,
        entry=lambda _kind, _uuid: None,
        listing=lambda _table: TABLE,
        setting=lambda _path: "1",
        unit=lambda _name: None,
        **more,
    )
    return Work("h", check=check, now=now)


CASES: list[tuple[str, Callable[[], object]]] = [
    ("STEAD-E202: The ledger has no network", lambda: networks.bridge_for(UUID, work())),
    (
        f"STEAD-E203: Bridge {BRIDGE} still has other ports: tap0",
        lambda: networks.remove({"uuid": UUID}, work({"tap0": {"master": BRIDGE}, BRIDGE: {}})),
    ),
    ("STEAD-E204: Physical network external", lambda: networks._uplink(FLAT, work(), {}, BRIDGE)),
    (
        "STEAD-E204: There is no device 'eth1'",
        lambda: networks._uplink({**FLAT, "physical": ""}, work(), {}, BRIDGE),
    ),
    (
        "STEAD-E204: eth1 is a port of br0 already",
        lambda: networks._uplink(FLAT, work(), {"eth1": {"master": "br0"}}, BRIDGE),
    ),
    ("STEAD-E204: eth1 has addresses", lambda: networks._uplink(FLAT, work(), {"eth1": HELD}, BRIDGE)),
    ("STEAD-E205: Its kernel has no 802.1Q", lambda: networks._uplink(VLAN, work(), {"eth1": {}}, BRIDGE)),
    ("STEAD-E206: All 65535 are taken", lambda: conntrack.ensure("br-new", work())),
    (
        "STEAD-E207: 10.0.0.1: STEAD-E208: In namespace gone:",
        lambda: arp_nd.tell("gone", "eth0", "52:54:00:00:00:01", ["10.0.0.1"]),
    ),
    ("STEAD-E208: In namespace gone:", lambda: entering.within("gone", int)),
    (
        "STEAD-E209: Router acme/routers/edge is not here",
        lambda: floating_ips.put(
            {"uuid": UUID, "address": "203.0.113.9", "router": {"address": "acme/routers/edge", "uuid": UUID}}, work()
        ),
    ),
    ("STEAD-E210: 'a,b': It has characters", lambda: dhcp.word("a,b")),
    (
        "STEAD-E211: libvirt's filters know no protocol ospf",
        lambda: filters.group("acme/security_groups/a", [{"direction": "in", "protocol": "ospf"}], stateful=True),
    ),
]


@pytest.mark.parametrize(("text", "act"), CASES, ids=[text[:40] for text, _act in CASES])
def test_what_cannot_be_done_is_refused_with_a_code(
    text: str, act: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "attempt", lambda *_words, **_more: (2, "", "Error: Unknown device type."))
    monkeypatch.setattr(commands, "run", lambda *_words, **_more: "")
    with pytest.raises(Failed) as caught:
        act()
    assert str(caught.value).startswith(text)
