"""Routers of OVN with real packets: between networks on the guests' own hosts, apart from other projects, and outside.

Three network hosts have the physical network, and so has one of the two computes. Two projects have the same addresses.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from subprocess import CalledProcessError

import pytest
from beginnings import SMALL
from leftovers import differences, listing
from networking import workspace
from ovn_cloud import VARIABLES, OvnCloud
from varying import variant
from waiting import patiently

from ansible_collections.stead.cloud.plugins.module_utils.host.net.ovn.naming import router_port_name
from stead.lab.site import Lab
from stead.lab.sizes import parse as parse_sizes

pytestmark = [pytest.mark.lab, pytest.mark.long]

HOSTS = {
    "hosts": {
        "near": {"count": 1, "roles": ["compute"], "cpus": 8, "vars": VARIABLES},
        "plain": {"count": 1, "roles": ["compute"], "cpus": 8, "vars": VARIABLES},
        "network": {"count": 1, "roles": ["network", "controller"], "vars": VARIABLES},
        "gateway": {"count": 2, "roles": ["network"], "vars": VARIABLES},
    },
    "physical": {
        "carrier": {"hosts": ["compute", "network"], "cidr": "198.51.100.0/24"},
        "external": {"hosts": ["near", "network"], "cidr": "203.0.113.0/24", "cidr6": "2001:db8:113::/64"},
    },
}
SPEC = (
    SMALL
    + """networks:
  public:
    {driver: ovn, type: flat, physical: external, external: true,
     subnets: {v4: {cidr: 203.0.113.0/24, gateway: 203.0.113.1, pool: 203.0.113.10-203.0.113.99},
               v6: {cidr: "2001:db8:113::/64", gateway: "2001:db8:113::1"}}}
projects:
  acme:
    networks:
      app:
        driver: ovn
        type: geneve
        subnets:
          v4: {cidr: 10.20.0.0/24, dhcp_address: 10.20.0.2}
          v6: {cidr: "fd00:20::/64", ipv6: slaac}
      back:
        driver: ovn
        type: geneve
        subnets:
          v4: {cidr: 10.30.0.0/24, dhcp_address: 10.30.0.2}
          v6: {cidr: "fd00:30::/64"}
      wire: {driver: ovn, type: vlan, physical: external, vlan: 120, subnets: {v4: {cidr: 10.40.0.0/24}}}
    routers:
      edge: {external: public, networks: [app, back]}
    security_groups:
      web:
        ingress:
        - {protocol: icmp}
        - {protocol: icmpv6}
        - {protocol: tcp, ports: 80}
        - {protocol: tcp, ports: 8000, from: {group: db}}
      db: {ingress: [{protocol: icmp}, {protocol: icmpv6}, {protocol: tcp, ports: 80}]}
    instances:
      near: {flavor: small, image: tiny, host: near-1, networks: [{network: app, address: 10.20.0.11}],
             security_groups: [db], stop_timeout: 5s, cloud_init: {user_data: OBEYS}}
      beside: {flavor: small, image: tiny, host: near-1, networks: [{network: app, address: 10.20.0.13}],
               security_groups: [web], stop_timeout: 5s, cloud_init: {user_data: OBEYS}}
      far: {flavor: small, image: tiny, host: plain-1, networks: [{network: back, address: 10.30.0.12}],
            security_groups: [web], stop_timeout: 5s, cloud_init: {user_data: OBEYS}}
      outside: {flavor: small, image: tiny, host: near-1, security_groups: [web], stop_timeout: 5s,
                networks: [{network: public, address: 203.0.113.44}, {network: wire, address: 10.40.0.44}],
                cloud_init: {user_data: OBEYS}}
    floating_ips:
      near: {network: public, address: 203.0.113.50, instance: near}
      far: {network: public, address: 203.0.113.51, instance: far}
  other:
    networks:
      app: {driver: ovn, type: geneve, subnets: {v4: {cidr: 10.20.0.0/24, dhcp_address: 10.20.0.2}}}
      back: {driver: ovn, type: geneve, subnets: {v4: {cidr: 10.30.0.0/24, dhcp_address: 10.30.0.2}}}
    routers:
      edge: {external: public, networks: [app, back]}
    security_groups:
      open: {ingress: [{protocol: any}]}
    instances:
      alien: {flavor: small, image: tiny, host: plain-1, networks: [{network: back, address: 10.30.0.12}],
              security_groups: [open], stop_timeout: 5s, cloud_init: {user_data: OBEYS}}
    floating_ips:
      alien: {network: public, address: 203.0.113.60, instance: alien}
"""
)
NEAR, BESIDE, FAR, OTHER = "acme/instances/near", "acme/instances/beside", "acme/instances/far", "other/instances/alien"
FLOATING = ("acme/floating_ips/near", "acme/floating_ips/far")
LISTENS = "(nc -ll -p 8000 -e echo hello) >/dev/null 2>&1 &"


@pytest.fixture(scope="module")
def cloud(make_lab: Callable[..., Lab], tmp_path_factory: pytest.TempPathFactory) -> Iterator[OvnCloud]:
    lab = make_lab("w", parse_sizes(HOSTS, "test"))
    found = OvnCloud(**vars(workspace(lab, tmp_path_factory.mktemp("ovn"))), before=listing(lab))
    found.apply(SPEC)
    found.obeys(NEAR, BESIDE)
    found.obeys(FAR, OTHER, network="back")
    found.sh(FAR, LISTENS, "back")
    lab.run("neighbour", ["ethtool", "-K", "eth1", "tx", "off"])
    yield found
    found.store.close()


def opens(cloud: OvnCloud, who: str, address: str = "10.30.0.12") -> bool:
    return cloud.sh(who, f"nc -w 10 {address} 8000 </dev/null").text == "hello\n"


def shut(cloud: OvnCloud, who: str, address: str = "10.30.0.12") -> bool:
    return cloud.sh(who, f"nc -w 2 {address} 8000 </dev/null").status != 0


# Between networks ----------------------------------------------------------------------------------------------------


def test_a_router_joins_networks_and_its_neighbours_have_names(cloud: OvnCloud) -> None:
    assert cloud.ping(NEAR, "10.30.0.12")
    assert cloud.ping(NEAR, "far", "-4")
    assert cloud.ping(NEAR, "10.20.0.1"), "the router itself answers"
    assert "ttl=63" in cloud.sh(NEAR, "ping -c 1 -W 20 10.30.0.12").text
    assert cloud.plan().empty, "and a second run changes nothing"


def test_no_packet_between_networks_passes_a_network_host(cloud: OvnCloud) -> None:
    """Tunnels of the two computes carry them. The network host is in the same tunnels' network and hears none."""
    what = "udp port 6081 and not host 198.51.100.255"
    heard = {}
    for host in ("near-1", "network-1", "gateway-1", "gateway-2"):
        heard[host] = cloud.heard(host, (), "eth1", what, lambda: cloud.sh(NEAR, "ping -c 5 -W 5 10.30.0.12"))
    echoes = [line for line in heard["near-1"] if "ICMP echo" in line]
    assert len(echoes) == 10, heard["near-1"]
    others = [line for host in heard if host != "near-1" for line in heard[host]]
    assert [line for line in others if "10.20.0.11" in line] == []


def test_guests_of_one_host_stay_on_it(cloud: OvnCloud) -> None:
    """Into the other network and back, on the host of both: nothing leaves it."""
    text = cloud.text.replace(
        "host: plain-1, networks: [{network: back, address: 10.30.0.12}]",
        "host: near-1, networks: [{network: back, address: 10.30.0.12}]",
    )
    cloud.apply(text)
    assert cloud.record(FAR).host == "near-1"
    patiently(lambda: cloud.sh(FAR, "true", "back"))
    heard = cloud.heard("near-1", (), "eth1", "udp port 6081", lambda: cloud.sh(NEAR, "ping -c 3 -W 20 10.30.0.12"))
    assert [line for line in heard if "ICMP" in line] == []
    assert cloud.ping(NEAR, "10.30.0.12")
    cloud.apply(SPEC)
    patiently(lambda: cloud.sh(FAR, "true", "back"))
    assert opens(cloud, NEAR), "who moved is in its groups still"


def test_the_same_networks_in_two_projects_never_meet(cloud: OvnCloud) -> None:
    assert cloud.sh(NEAR, "wget -qO- http://10.30.0.12/").text.startswith('{"hostname": "far"')
    assert cloud.sh(OTHER, "ping -c 2 -W 2 10.20.0.11", "back").status != 0, "nobody has it in this project"
    assert cloud.sh(OTHER, "ping -c 2 -W 20 10.30.0.1", "back").status == 0


def test_groups_hold_through_a_router(cloud: OvnCloud) -> None:
    assert opens(cloud, NEAR)
    assert shut(cloud, BESIDE), "it is not in the group that may"


def test_a_static_route_leads_to_who_stands_behind_a_guest(cloud: OvnCloud) -> None:
    """Behind it is an address that no network has. Its port may send and get that address."""
    text = SPEC.replace("[app, back]}", "[app, back], routes: [{to: 192.0.2.0/24, via: 10.30.0.12}]}", 1)
    text = text.replace("address: 10.30.0.12}]", "address: 10.30.0.12, allowed_addresses: [192.0.2.0/24]}]")
    plan = cloud.apply(text)
    assert {str(step.action) for step in plan.steps} == {"update"}
    cloud.sh(FAR, "ip address add 192.0.2.7/32 dev lo", "back")
    assert cloud.ping(NEAR, "192.0.2.7")
    cloud.apply(SPEC)
    assert cloud.no_ping(NEAR, "192.0.2.7")


def test_a_router_that_is_disabled_forwards_nothing_and_keeps_its_addresses(cloud: OvnCloud) -> None:
    before = cloud.record("acme/routers/edge").leases
    cloud.apply(SPEC.replace("[app, back]}", "[app, back], enabled: false}", 1))
    assert cloud.no_ping(NEAR, "10.30.0.12")
    assert cloud.sh(OTHER, "ping -c 2 -W 20 10.30.0.1", "back").status == 0, "the other project's goes on"
    assert cloud.plan().empty
    cloud.apply(SPEC)
    assert cloud.record("acme/routers/edge").leases == before
    assert cloud.ping(NEAR, "10.30.0.12")


# Outside -------------------------------------------------------------------------------------------------------------


def who_answers(cloud: OvnCloud, address: str) -> str:
    """To the neighbour, at once or not at all."""
    words = ["curl", "-sS", "--connect-timeout", "4", "-m", "60", f"http://{address}/cgi-bin/index.cgi"]
    return str(json.loads(cloud.lab.run("neighbour", words))["hostname"])


def comes_from(cloud: OvnCloud, who: str, network: str = "app") -> set[str]:
    """The addresses that the neighbour sees."""
    call = partial(cloud.sh, who, "ping -c 2 -W 20 203.0.113.1", network)
    heard = cloud.heard("neighbour", (), "eth1", "icmp[icmptype] == icmp-echo", call)
    return {line.split(" > 203.0.113.1:")[0].split()[-1] for line in heard}


def test_the_plan_says_where_addresses_are_translated(cloud: OvnCloud) -> None:
    wants = {name: cloud.record(f"acme/floating_ips/{name}").wants for name in ("near", "far")}
    told = {name: {want.fields()["translated"] for want in each.values()} for name, each in wants.items()}
    assert told == {"near": {"on its instance's host"}, "far": {"at its router's gateway"}}
    assert {host for each in wants.values() for host in each} == {"network-1"}, "who keeps the database"


def test_a_floating_ip_is_where_its_instance_comes_from_and_is_reached_at(cloud: OvnCloud) -> None:
    assert who_answers(cloud, "203.0.113.50") == "near"
    assert who_answers(cloud, "203.0.113.51") == "far"
    assert who_answers(cloud, "203.0.113.60") == "alien", "the same address inside, and another project"
    assert comes_from(cloud, NEAR) == {"203.0.113.50"}
    assert comes_from(cloud, FAR, "back") == {"203.0.113.51"}


def test_a_guest_without_one_comes_from_its_router(cloud: OvnCloud) -> None:
    assert comes_from(cloud, BESIDE) == {cloud.record("acme/routers/edge").leases["external.v4"]}


def test_no_packet_of_a_floating_ip_passes_a_network_host_where_the_guests_has_the_way_out(cloud: OvnCloud) -> None:
    ping = partial(cloud.lab.run, "neighbour", ["ping", "-c", "3", "-W", "10", "203.0.113.50"])
    heard = cloud.heard("near-1", (), "eth2", "icmp and host 203.0.113.50", ping)
    assert len([line for line in heard if "echo" in line]) == 6
    assert {line.split()[1] for line in heard if "echo reply" in line} == {
        cloud.record("acme/floating_ips/near").leases["mac"]
    }
    for host in ("network-1", "gateway-1", "gateway-2"):
        for device, what in (("eth1", "udp port 6081"), ("eth2", "icmp")):
            found = cloud.heard(host, (), device, what, ping)
            assert [line for line in found if "10.20.0.11" in line or "ICMP echo reply" in line] == [], host


def test_groups_hold_outside_too(cloud: OvnCloud) -> None:
    """`near` lets in ICMP and port 80, and nothing else answers there."""
    cloud.sh(NEAR, "(nc -ll -p 8000 -e echo hello) >/dev/null 2>&1 &")
    words = ["curl", "-sS", "--connect-timeout", "3", "http://203.0.113.50:8000/"]
    with pytest.raises(CalledProcessError):
        cloud.lab.run("neighbour", words)


def test_a_floating_ip_follows_its_guest_to_a_host_without_a_way_out(cloud: OvnCloud) -> None:
    old = "host: near-1, networks: [{network: app, address: 10.20.0.11}]"
    cloud.apply(SPEC.replace(old, old.replace("near-1", "plain-1")))
    assert cloud.record(NEAR).host == "plain-1"
    patiently(lambda: who_answers(cloud, "203.0.113.50"))
    cloud.apply(SPEC)
    patiently(lambda: who_answers(cloud, "203.0.113.50"))
    assert cloud.plan().empty


def test_a_guest_in_a_physical_network_is_a_neighbour_there(cloud: OvnCloud) -> None:
    """Flat, as it is; and in a VLAN with its tag."""
    assert patiently(lambda: who_answers(cloud, "203.0.113.44")) == "outside"
    tell = ["curl", "-sS", "-m", "60", "--data-binary", "arping -c 2 -w 4 -I eth1 10.40.0.99"]
    call = partial(cloud.lab.run, "neighbour", [*tell, "http://203.0.113.44/cgi-bin/sh"])
    heard = cloud.heard("near-1", (), "eth2", "vlan 120 and arp", call)
    assert [line for line in heard if "who-has 10.40.0.99" in line]
    assert all("vlan 120" in line for line in heard)


def test_ipv6_is_heard_of_routed_and_reached_from_outside(cloud: OvnCloud) -> None:
    """One makes its address itself; the other has the planned one."""
    script = "wget -qO- http://127.0.0.1/cgi-bin/index.cgi"
    near = patiently(lambda: json.loads(cloud.sh(NEAR, script).text)["ipv6"])[0]
    assert near.startswith("fd00:20:")
    far = cloud.address(FAR, 6)
    assert cloud.ping(NEAR, far)
    assert cloud.sh(FAR, f"ping -c 2 -W 20 {near}", "back").status == 0
    assert cloud.ping(NEAR, "far", "-6")
    router = cloud.record("acme/routers/edge").leases["external.v6"]
    route = ["ip", "-6", "route", "add", "fd00:30::/64", "via", router]
    cloud.lab.run("neighbour", route)
    try:
        cloud.lab.run("neighbour", ["ping", "-c", "2", "-W", "20", far])
    finally:
        cloud.lab.run("neighbour", [*route[:3], "delete", *route[4:]])


def test_the_way_out_is_handed_over_and_taken_over(cloud: OvnCloud) -> None:
    """By plan, to a host that is named. By itself, when that dies; and back when it is there again."""
    pinned = SPEC.replace("[app, back]}", "[app, back], host: gateway-1}")
    cloud.apply(pinned)
    assert chassis_of(cloud) == "gateway-1"
    assert who_answers(cloud, "203.0.113.51") == "far"
    cloud.lab.crash(cloud.lab.host("gateway-1"))
    try:
        patiently(lambda: who_answers(cloud, "203.0.113.51"))
        assert chassis_of(cloud) != "gateway-1"
        assert comes_from(cloud, BESIDE) == {cloud.record("acme/routers/edge").leases["external.v4"]}
    finally:
        cloud.lab.start([cloud.lab.host("gateway-1")])
    patiently(lambda: chassis_of(cloud) == "gateway-1")
    patiently(lambda: who_answers(cloud, "203.0.113.51"))
    assert cloud.plan().empty
    cloud.apply(SPEC)


def chassis_of(cloud: OvnCloud) -> str:
    """Which host leads out, as the database says."""
    edge = cloud.record("acme/routers/edge").leases
    port = "cr-" + router_port_name(cloud.record("networks/public").leases["uuid"], edge["external.mac"])
    words = ["ovn-sbctl", "--bare", "--columns=chassis", "find", "port_binding", f"logical_port={port}"]
    uuid = cloud.lab.run("network-1", words).strip()
    return cloud.lab.run("network-1", ["ovn-sbctl", "--bare", "--columns=name", "list", "chassis", uuid]).strip()


# What somebody takes away --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [
    "ovn-nbctl lr-del ROUTER",
    "ovn-nbctl lr-nat-del ROUTER",
    variant("ovn-nbctl lr-nat-add ROUTER dnat_and_snat 203.0.113.77 10.20.0.13"),
    variant("ovn-nbctl ha-chassis-group-remove-chassis ROUTER gateway-1"),
    variant("ovn-nbctl lr-route-add ROUTER 10.99.0.0/24 10.30.0.99"),
    variant("ovn-nbctl set logical_router ROUTER enabled=false"),
    variant("ovn-nbctl lrp-del $(ovn-nbctl lrp-list ROUTER | cut -d'(' -f2 | tr -d ')' | head -1)"),
])  # fmt: skip
def test_what_is_altered_is_seen_and_mended(cloud: OvnCloud, command: str) -> None:
    uuid = cloud.record("acme/routers/edge").leases["uuid"]
    cloud.lab.run("network-1", ["sh", "-c", command.replace("ROUTER", uuid)])
    plan = cloud.apply()
    assert {str(step.address) for step in plan.steps} <= {"acme/routers/edge", *FLOATING}
    assert cloud.plan().empty
    patiently(lambda: cloud.ping(NEAR, "10.30.0.12"))  # hosts write their flows after the apply
    assert [who_answers(cloud, address) for address in ("203.0.113.50", "203.0.113.51")] == ["near", "far"]
    assert comes_from(cloud, BESIDE) == {cloud.record("acme/routers/edge").leases["external.v4"]}


def test_a_compute_that_boots_routes_again(cloud: OvnCloud) -> None:
    cloud.lab.crash(cloud.lab.host("near-1"))
    cloud.lab.start([cloud.lab.host("near-1")])
    cloud.obeys(NEAR)
    assert cloud.ping(NEAR, "10.30.0.12")
    assert cloud.plan().empty


def test_nothing_is_left(cloud: OvnCloud) -> None:
    cloud.carry_out(cloud.plan(destroy=True))
    tables = ("logical_switch", "logical_router", "logical_router_port", "logical_router_static_route", "nat")
    assert [cloud.northbound("--bare", "list", table).strip() for table in tables] == [""] * len(tables)
    left = differences(cloud.before, listing(cloud.lab))
    assert [one for one in left if not one.endswith("/traits.json")] == [], "that a host notes after a boot"
