"""What somebody breaks on a host by hand: the plan says so, the apply mends it, and then there is nothing to do."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator

import pytest
from beginnings import SMALL
from networking import Cloud, bridge_of, tap_of, workspace
from varying import variant
from waiting import patiently

from stead.lab.site import Lab
from stead.lab.sizes import parse

pytestmark = pytest.mark.lab

HOSTS = {"hosts": {"compute": {"count": 1, "cpus": 8}, "network": {"count": 1, "roles": ["network", "controller"]}}}
# A tenant may well have the underlay's addresses: UNDERLAY is its network, and OTHER the address of another host.
SPEC = (
    SMALL
    + """networks:
  public: {type: flat, physical: external, external: true, subnets: {v4: {cidr: 203.0.113.0/24, gateway: 203.0.113.1,
           pool: 203.0.113.50-203.0.113.90}}}
projects:
  acme:
    networks:
      app: {subnets: {v4: {cidr: UNDERLAY, gateway: GATEWAY, dhcp_address: SERVER}}}
      more: {subnets: {v4: {cidr: 10.21.0.0/24}}}
    routers:
      edge: {external: public, networks: [app, more]}
    security_groups:
      open: {ingress: [{protocol: any}]}
    instances:
      web: {flavor: small, image: tiny, host: compute-1, networks: [{network: app, address: OTHER}, more],
            security_groups: [open], stop_timeout: 5s, cloud_init: {user_data: OBEYS}}
"""
)
WEB, APP = "acme/instances/web", "acme/networks/app"


def host_of(lab: Lab, name: str) -> str:
    return lab.host(name).address


@pytest.fixture(scope="module")
def cloud(make_lab: Callable[..., Lab], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    lab = make_lab("k", parse(HOSTS, "test"))
    net, _dot, _last = host_of(lab, "compute-1").rpartition(".")
    text = SPEC.replace("UNDERLAY", f"{net}.0/24").replace("OTHER", host_of(lab, "network-1"))
    text = text.replace("GATEWAY", f"{net}.251").replace("SERVER", f"{net}.250")
    found = workspace(lab, tmp_path_factory.mktemp("broken"))
    found.apply(text)
    found.obeys(WEB)
    yield found
    found.store.close()


def mended(cloud: Cloud, *addresses: str) -> None:
    """By an apply that knows what of; and then there is nothing more."""
    plan = cloud.plan()
    assert {str(step.address) for step in plan.steps} == set(addresses)
    cloud.carry_out(plan)
    assert cloud.plan().steps == ()
    cloud.obeys(WEB)


def on(cloud: Cloud, host: str, script: str) -> str:
    return cloud.lab.run(host, ["sh", "-ec", script])


def answered(cloud: Cloud) -> bool:
    """Whether the host that the guest is on answers it, which asks in the name of another host."""
    return cloud.sh(WEB, f"arping -c 2 -w 4 -I eth0 {host_of(cloud.lab, 'compute-1')}").status == 0


def guarded(cloud: Cloud) -> list[bool]:
    """By its guard, by libvirt's rules, and the host itself by what it keeps from strangers."""
    tap, rules = tap_of(cloud.mac(WEB)), on(cloud, "compute-1", "iptables -S; nft list tables")
    return [
        tap in on(cloud, "compute-1", "nft list map bridge stead ports || true"),
        tap in rules,
        "stead_host" in rules,
    ]


def test_a_host_is_not_in_the_networks_that_it_carries(cloud: Cloud) -> None:
    assert not answered(cloud)
    on(
        cloud,
        "compute-1",
        "nft delete table inet stead; for one in /proc/sys/net/ipv4/conf/sb*; do echo 0 >$one/arp_ignore; done",
    )
    assert answered(cloud)
    mended(cloud, APP, "acme/networks/more")
    assert not answered(cloud)


def test_emptied_tables_are_filled_again(cloud: Cloud) -> None:
    assert guarded(cloud) == [True, True, True]
    on(cloud, "compute-1", "nft flush ruleset")
    mended(cloud, WEB, APP, "acme/networks/more")
    assert guarded(cloud)[:2] == [True, True]


@pytest.mark.parametrize("how", ["restart", variant("reload")])
def test_what_guards_guests_outlives_the_hosts_own_firewall(cloud: Cloud, how: str) -> None:
    on(cloud, "compute-1", "systemctl restart nftables stead-firewall")
    on(cloud, "compute-1", f"systemctl {how} nftables")
    patiently(lambda: cloud.plan().steps == ())
    assert guarded(cloud) == [True, True, True]


def test_a_namespace_that_is_deleted_is_made_anew_and_served(cloud: Cloud) -> None:
    network, router = cloud.record(APP), cloud.record("acme/routers/edge")
    names = [f"stead-dhcp-{network.leases['uuid']}", f"stead-router-{router.leases['uuid']}"]
    on(cloud, "network-1", "".join(f"ip netns delete {name}\n" for name in names))
    mended(cloud, APP, "acme/routers/edge")
    assert cloud.sh(WEB, "udhcpc -n -q -f -i eth0 -s /bin/true").status == 0
    assert cloud.ping(WEB, "203.0.113.1")


@pytest.mark.parametrize(
    ("host", "script", "address"),
    [
        ("compute-1", "virsh suspend acme.web", WEB),
        variant("compute-1", "virsh destroy acme.web; virsh domrename acme.web other", WEB),
        ("compute-1", "rm /var/lib/stead/pools/default/*.root.qcow2", WEB),
        ("compute-1", "ip link set $(ip -br link show type vxlan master BRIDGE | cut -d' ' -f1) nomaster", APP),
        variant("network-1", "ip link set BRIDGE down", APP),
        (
            "network-1",
            "ip link delete $(ip -br link show type veth | grep -o '^sr[0-9a-f]*' | head -n 1)",
            "acme/routers/edge",
        ),
    ],
)
def test_what_is_broken_is_mended(cloud: Cloud, host: str, script: str, address: str) -> None:
    on(cloud, host, script.replace("BRIDGE", bridge_of(cloud.record(APP))))
    mended(cloud, address)


def test_a_root_disk_is_for_its_guest_alone(cloud: Cloud) -> None:
    assert on(cloud, "compute-1", "stat -c %a /var/lib/stead/pools/default/*.root.qcow2").split() == ["600"]


def test_a_broken_ledger_is_no_empty_host(cloud: Cloud) -> None:
    uuid = cloud.record(WEB).leases["uuid"]
    path = f"/var/lib/stead/ledger/instances/{uuid}.json"
    on(cloud, "compute-1", f"cp {path} /root/kept; head -c 100 /root/kept >{path}")
    try:
        plan = cloud.plan()
        assert plan.steps == ()
        assert [note.host for note in plan.notes if note.code == "host-unread"] == ["compute-1"]
        with pytest.raises(subprocess.CalledProcessError):
            on(cloud, "compute-1", "/usr/lib/stead/restore")
    finally:
        on(cloud, "compute-1", f"mv /root/kept {path}")
    assert cloud.plan().steps == ()
