"""The largest packet that a network carries fits the underlay, whatever that carries: from guest to guest, whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from beginnings import SMALL
from networking import Cloud, bridge_of, workspace
from varying import variant

from stead.lab.lifecycle import take_down
from stead.lab.site import Lab
from stead.lab.sizes import parse

pytestmark = pytest.mark.lab

SPEC = (
    SMALL
    + """projects:
  acme:
    networks:
      app: {subnets: {v4: {cidr: 10.20.0.0/24, dhcp_address: 10.20.0.2}}}
    security_groups:
      open: {ingress: [{protocol: any}]}
    instances:
      near: {flavor: small, image: tiny, host: hyper-1, networks: [{network: app, address: 10.20.0.11}],
             security_groups: [open], stop_timeout: 5s, cloud_init: {user_data: OBEYS}}
      far: {flavor: small, image: tiny, host: hyper-2, networks: [{network: app, address: 10.20.0.12}],
            security_groups: [open], stop_timeout: 5s, cloud_init: {user_data: OBEYS}}
"""
)
NEAR, FAR = "acme/instances/near", "acme/instances/far"
HEADERS = 28  # of IPv4 and ICMP
TELLS = """printf '#!/bin/sh\\necho "told $1 $mtu"\\n' >/tmp/tells; chmod 755 /tmp/tells
udhcpc -i eth0 -n -q -f -t 3 -T 3 -O mtu -s /tmp/tells"""


@pytest.fixture(params=[1400, variant(1500), variant(9000)])
def carried(
    request: pytest.FixtureRequest, make_lab: Callable[..., Lab], tmp_path: Path
) -> Iterator[tuple[Cloud, int]]:
    """Nothing of it stands in the spec: the inventory says what the hosts' underlay carries."""
    sizes = parse(
        {"hosts": {"hyper": {"count": 2, "cpus": 8, "roles": ["compute", "network"]}}, "mtu": request.param}, "test"
    )
    lab = make_lab(f"m{request.param}", sizes)
    cloud = workspace(lab, tmp_path)
    try:
        cloud.apply(SPEC)
        cloud.obeys(NEAR, FAR)
        yield cloud, request.param - 50
    finally:
        cloud.store.close()
        take_down(lab.layout.name)


def test_the_largest_packet_arrives_whole(carried: tuple[Cloud, int]) -> None:
    """DF is set, so it would be lost if any link on its way were smaller, and one byte more is refused."""
    cloud, mtu = carried
    size = mtu - HEADERS
    assert f"mtu {mtu} " in cloud.sh(NEAR, "ip link show eth0").text
    assert f"told bound {mtu}" in cloud.sh(NEAR, TELLS).text, "option 26 of DHCP"
    for host in ("hyper-1", "hyper-2"):
        bridge = bridge_of(cloud.record("acme/networks/app"))
        links = json.loads(cloud.lab.run(host, ["ip", "-json", "link", "show", "master", bridge]))
        assert {one["mtu"] for one in links} == {mtu}
        assert any(one["ifname"] == bridge.replace("sb", "sx") for one in links)
        assert json.loads(cloud.lab.run(host, ["ip", "-json", "link", "show", bridge]))[0]["mtu"] == mtu

    def send() -> None:
        assert cloud.ping(NEAR, "10.20.0.12", "-s", str(size))

    whole = f"icmp and ip[6] & 0x40 != 0 and ip[2:2] == {mtu}"
    assert len(cloud.heard_by(FAR, whole, send)) >= 2
    assert cloud.plan().empty
