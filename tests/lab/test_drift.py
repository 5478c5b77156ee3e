"""What Stead wrote on hosts is broken piece by piece: each is seen, one apply mends it, and the plan is empty.

Rules, chains, maps, sets, routes, addresses, entries, links, units and files. Many that do not depend on each other are
broken at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
from beginnings import SMALL
from networking import Cloud, bridge_of, tap_of, workspace
from varying import variant
from waiting import patiently

from stead.core.effect import Disruption
from stead.lab.site import Lab
from stead.lab.sizes import parse

pytestmark = pytest.mark.lab

HOSTS = {
    "hosts": {
        "compute": {"count": 2, "cpus": 8},
        "edge": {
            "count": 1,
            "roles": ["network", "storage", "controller"],
            "pools": {
                "files": {"type": "nfs", "size": "8GiB"},
                "blocks": {"type": "iscsi", "size": "8GiB", "path": "/srv/blocks"},
            },
        },
    },
    "physical": {"external": {"hosts": ["edge"], "cidr": "203.0.113.0/24"}},
}
SPEC = (
    SMALL
    + """networks:
  public: {type: flat, physical: external, external: true, subnets: {v4: {cidr: 203.0.113.0/24, gateway: 203.0.113.1,
           pool: 203.0.113.50-203.0.113.90}}}
projects:
  acme:
    networks:
      app: {subnets: {v4: {cidr: 10.20.0.0/24}, v6: {cidr: "2001:db8:20::/64"}}}
      more: {subnets: {v4: {cidr: 10.21.0.0/24}}}
    routers:
      edge: {external: public, networks: [app, more], routes: [{to: 10.99.0.0/16, via: 10.20.0.77}]}
    security_groups:
      open: {ingress: [{protocol: any}]}
      web: {ingress: [{protocol: tcp, ports: 80, from: {group: open}}]}
    volumes:
      plain: {size: 64MiB}
      files: {size: 64MiB, pool: files}
      blocks: {size: 64MiB, pool: blocks}
    snapshots:
      kept: {volume: plain}
    instances:
      web: {flavor: small, image: tiny, host: compute-1, networks: [app, more], security_groups: [open, web],
            volumes: [plain, files, blocks], stop_timeout: 5s, cloud_init: {user_data: OBEYS}}
      db: {flavor: small, image: tiny, host: compute-2, networks: [app], security_groups: [open],
           stop_timeout: 5s, cloud_init: {user_data: OBEYS}}
    floating_ips:
      www: {network: public, instance: web}
"""
)
WEB, DB, EDGE, WWW = "acme/instances/web", "acme/instances/db", "acme/routers/edge", "acme/floating_ips/www"
APP, MORE, GROUP = "acme/networks/app", "acme/networks/more", "acme/security_groups/web"


class Piece(NamedTuple):
    """Of a resource on a host, and how it is broken: names in braces are those of the site."""

    host: str
    script: str
    seen: str  # the resource whose step mends it


INSIDE = "ip netns exec {router} "
# Where one of them is chosen, it is the first that is there.
BATCHES = {
    "deleted": [
        Piece("edge-1", INSIDE + "nft flush ruleset", EDGE),
        Piece("edge-1", INSIDE + "sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0", EDGE),
        Piece("edge-1", "ip -n {router} route del default; ip -n {router} route del 10.99.0.0/16", EDGE),
        Piece("edge-1", "ip -n {router} addr del {floating}/32 dev {way}", WWW),
        Piece("edge-1", "cd /var/lib/stead/networks/{app_uuid}; rm dnsmasq.conf leases names", APP),
        Piece("edge-1", "systemctl stop stead-dhcp-{more_uuid}", MORE),
        Piece("edge-1", "bridge fdb show dev {tunnel} | grep dst | while read mac _ at _; do "
              "bridge fdb del $mac dev {tunnel} dst $at self; done", APP),
        Piece("compute-1", "nft delete table inet stead", APP),
        Piece("compute-1", "nft delete table inet stead 2>/dev/null || true", MORE),
        Piece("compute-1", "for one in $(ipset list -n | grep stead); do ipset flush $one; done", GROUP),
        Piece("compute-1", "nft flush chain bridge stead {tap}", WEB),
        Piece("compute-2", "ip link delete {bridge}", APP),
    ],
    "emptied": [
        Piece("edge-1", INSIDE + "nft flush chain ip stead before", EDGE),
        Piece("edge-1", INSIDE + "nft flush map ip stead inward", WWW),
        Piece("edge-1", "for one in leases names; do : >/var/lib/stead/networks/{app_uuid}/$one; done", APP),
        Piece("edge-1", "ip -n stead-dhcp-{more_uuid} addr flush dev eth0", MORE),
        Piece("compute-1", "for one in apart itself through; do nft flush chain inet stead $one; done", APP),
        Piece("compute-1", "true", MORE),
        Piece("compute-1", "nft flush chain bridge stead guests", WEB),
        Piece("compute-2", "bridge fdb show dev {tunnel} | grep -v dst | grep static | while read mac _; do "
              "bridge fdb del $mac dev {tunnel} master; done; ip neigh flush dev {bridge} nud permanent", APP),
    ],
    "altered": [
        Piece("edge-1", INSIDE + "nft add rule ip stead before drop", EDGE),
        Piece("edge-1", INSIDE + "nft add element ip stead inward '{{ 203.0.113.9 : 10.20.0.9 }}'", EDGE),
        Piece("edge-1", "ip -n {router} route add 10.98.0.0/16 via 10.20.0.78", EDGE),
        Piece("edge-1", "echo log-queries >>/var/lib/stead/networks/{app_uuid}/dnsmasq.conf", APP),
        Piece("compute-1", "nft insert rule bridge stead {tap} return", WEB),
        Piece("compute-1", "ipset add $(ipset list -n | grep stead | head -n 1) 10.66.0.1", GROUP),
        Piece("compute-1", "nft add rule inet stead itself accept", APP),
        Piece("compute-1", "true", MORE),
        Piece("compute-2", "bridge fdb append 00:00:00:00:00:00 dev {tunnel} dst 192.0.2.77 self permanent", APP),
        Piece("compute-2", "virsh nwfilter-dumpxml {filter} | sed s/statematch=.false.//g >/tmp/f; "
              "virsh nwfilter-define /tmp/f", DB),
        Piece("compute-2", "ip link set {other_tap} nomaster", APP),
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def cloud(make_lab: Callable[..., Lab], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    found = workspace(make_lab("y", parse(HOSTS, "test")), tmp_path_factory.mktemp("drift"))
    found.apply(SPEC)
    found.obeys(WEB, DB)
    assert found.plan().steps == ()
    yield found
    found.store.close()


def names(cloud: Cloud) -> dict[str, str]:
    app, router = cloud.record(APP), cloud.record(EDGE)
    space, floating = f"stead-router-{router.leases['uuid']}", cloud.record(WWW).leases["address"]
    way = next(
        line.split()[1]
        for line in cloud.lab.run("edge-1", ["ip", "-n", space, "-o", "-4", "addr"]).splitlines()
        if "203.0.113." in line
    )
    return {
        "router": space,
        "floating": floating,
        "way": way,
        "app_uuid": app.leases["uuid"],
        "more_uuid": cloud.record(MORE).leases["uuid"],
        "bridge": bridge_of(app),
        "tunnel": "sx" + bridge_of(app)[2:],
        "tap": tap_of(cloud.mac(WEB)),
        "other_tap": tap_of(cloud.mac(DB)),
        "filter": "stead-port-" + cloud.mac(DB).replace(":", ""),
    }


@pytest.mark.parametrize("how", ["deleted", "altered", variant("emptied")])
def test_what_was_written_is_read_back_and_mended(cloud: Cloud, how: str) -> None:
    known = names(cloud)
    for piece in BATCHES[how]:
        cloud.lab.run(piece.host, ["sh", "-c", piece.script.format(**known)])
    plan = cloud.plan()
    planned = {(str(step.address), step.host) for step in plan.steps}
    assert {(piece.seen, piece.host) for piece in BATCHES[how]} - planned == set()
    cloud.carry_out(plan)
    assert cloud.plan().steps == ()
    patiently(lambda: cloud.ping(DB, cloud.address(WEB)))
    assert cloud.lab.run("neighbour", ["curl", "-sS", "-m", "20", f"http://{known['floating']}/"])


def test_a_snapshot_that_was_moved_is_missed(cloud: Cloud) -> None:
    """And not made anew by a mere yes: what was saved is not what is on the volume now."""
    path = f"/var/lib/stead/pools/default/{cloud.record('acme/snapshots/kept').leases['uuid']}.snapshot.qcow2"
    cloud.lab.run("compute-1", ["mv", path, "/root/kept"])
    try:
        steps = cloud.plan().steps
        assert [(str(step.address), str(step.disturbs)) for step in steps] == [
            ("acme/snapshots/kept", str(Disruption.DATA_LOSS))
        ]
    finally:
        cloud.lab.run("compute-1", ["mv", "/root/kept", path])
    assert cloud.plan().steps == ()


@pytest.mark.parametrize(
    ("unit", "volume"),
    [
        ("stead-iscsi", "acme/volumes/blocks"),
        variant("stead-nfs", "acme/volumes/files"),
    ],
)
def test_a_server_that_was_stopped_is_started_again(cloud: Cloud, unit: str, volume: str) -> None:
    cloud.lab.run("edge-1", ["systemctl", "stop", unit])
    plan = cloud.plan()
    assert {str(step.address) for step in plan.steps} == {volume}
    cloud.carry_out(plan)
    assert cloud.plan().steps == ()


def test_a_guest_that_libvirt_still_looks_for_is_not_taken_for_one_that_runs(cloud: Cloud) -> None:
    """Killed, it says of a guest that it runs until it has reached that, or not."""
    find = "guest=$(pgrep -f '[g]uest=acme.db'); kill -STOP $guest; kill -9 $(pidof libvirtd)"
    later = 'setsid sh -c "sleep 6; kill -9 $guest" >/dev/null 2>&1 </dev/null &'
    cloud.lab.run("compute-2", ["sh", "-c", f"{find}; {later}"])
    plan = cloud.plan()
    assert [str(step.address) for step in plan.steps] == [DB]
    cloud.carry_out(plan)
    assert cloud.plan().steps == ()


def test_a_host_whose_libvirt_hangs_is_silent_and_delays_nobody(cloud: Cloud) -> None:
    cloud.lab.run("compute-1", ["sh", "-c", "kill -STOP $(pidof libvirtd)"])
    try:
        notes = cloud.plan().notes
        assert [note.host for note in notes if note.code == "host-silent"] == ["compute-1"]
    finally:
        cloud.lab.run("compute-1", ["sh", "-c", "kill -CONT $(pidof libvirtd)"])
    assert cloud.plan().steps == ()
