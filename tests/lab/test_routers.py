"""What leads out of a network and into it: routers, floating IPs, name servers, told by packets.

The neighbour stands for the rest of the world. What it knows of who is where (its ARP cache) is filled before a change,
so that a change has to tell it.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from subprocess import CalledProcessError

import pytest
from beginnings import WITH_PUBLIC
from networking import Cloud, workspace
from waiting import patiently

from stead.lab.site import Lab
from stead.lab.sizes import parse

pytestmark = pytest.mark.lab

HOSTS = {
    "hosts": {"compute": {"count": 1, "cpus": 8}, "network": {"count": 2}},
    "physical": {
        "external": {"hosts": ["network", "compute"], "cidr": "203.0.113.0/24", "cidr6": "2001:db8:113::/64"},
        "office": {"hosts": ["network", "compute"], "cidr": "198.51.100.0/24"},
    },
}
SPEC = (
    WITH_PUBLIC
    + """  office:
    {type: flat, physical: office, external: true,
     subnets: {v4: {cidr: 198.51.100.0/24, gateway: 198.51.100.1, pool: 198.51.100.10-198.51.100.99}}}
projects:
  acme:
    networks:
      app:
        subnets:
          v4: {cidr: 10.20.0.0/24, dhcp_address: 10.20.0.2, dns: [203.0.113.1]}
          v6: {cidr: "fd00:20::/64", ipv6: slaac}
      back: {subnets: {v4: {cidr: 10.30.0.0/24, dhcp_address: 10.30.0.2}, v6: {cidr: "fd00:30::/64"}}}
    routers:
      edge: {external: public, networks: [app], host: network-1, ha: false}
      rear: {external: public, networks: [back], host: network-1, ha: false}
    security_groups:
      open: {ingress: [{protocol: any}]}
    instances:
      one: {flavor: small, image: tiny, networks: [{network: app, address: 10.20.0.11}],
            security_groups: [open], stop_timeout: 5s, cloud_init: {user_data: OBEYS}}
      two: {flavor: small, image: tiny, security_groups: [open],
            networks: [{network: app, address: 10.20.0.12, allowed_addresses: [192.168.77.0/24]}],
            stop_timeout: 5s, cloud_init: {user_data: OBEYS}}
      three: {flavor: small, image: tiny, networks: [{network: back, address: 10.30.0.13}],
              security_groups: [open], stop_timeout: 5s, cloud_init: {user_data: OBEYS}}
      outside: {flavor: small, image: tiny, networks: [{network: office, address: 198.51.100.44}],
                security_groups: [open], stop_timeout: 5s, cloud_init: {user_data: OBEYS}}
    floating_ips:
      www: {network: public, address: 203.0.113.50, instance: one}
"""
)
EDGE = "edge: {external: public, networks: [app], host: network-1, ha: false}"
ONE, TWO, THREE = "acme/instances/one", "acme/instances/two", "acme/instances/three"
# Answers every question for an address with 192.0.2.80.
NAMES = """
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("203.0.113.1", 53))
while True:
    asked, who = server.recvfrom(512)
    end = asked.index(0, 12) + 5
    four = asked[end - 4:end - 2] == b"\\0\\x01"
    head = asked[:2] + b"\\x81\\x80\\0\\x01" + (b"\\0\\x01" if four else b"\\0\\0") + b"\\0\\0\\0\\0"
    answer = b"\\xc0\\x0c\\0\\x01\\0\\x01\\0\\0\\0\\x3c\\0\\x04" + bytes([192, 0, 2, 80]) if four else b""
    server.sendto(head + asked[12:end] + answer, who)
"""


@pytest.fixture(scope="module")
def ready(make_lab: Callable[..., Lab], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    found = workspace(make_lab("r", parse(HOSTS, "test")), tmp_path_factory.mktemp("routers"))
    found.traces = True
    found.apply(SPEC)
    found.obeys(ONE, TWO)
    found.obeys(THREE, network="back")
    yield found
    found.store.close()


@pytest.fixture
def cloud(ready: Cloud) -> Iterator[Cloud]:
    yield ready
    ready.apply(SPEC)


def who_answers(cloud: Cloud, address: str) -> str:
    """To the neighbour, at once or not at all."""
    words = ["curl", "-sS", "--connect-timeout", "4", "-m", "60", f"http://{address}/cgi-bin/index.cgi"]
    return str(json.loads(cloud.lab.run("neighbour", words))["hostname"])


def known_to_the_neighbour(cloud: Cloud, address: str) -> str:
    found = json.loads(cloud.lab.run("neighbour", ["ip", "-json", "neighbour", "show", address]))
    return str(found[0]["lladdr"]) if found else ""


def comes_from(cloud: Cloud, who: str, network: str = "app", target: str = "203.0.113.1") -> str:
    """The address that the neighbour sees."""
    script = f"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 4 {target} 80 | tail -n 1"
    text = cloud.sh(who, script, network).text.strip()
    return "" if text.startswith("nc:") else text


# Floating IPs --------------------------------------------------------------------------------------------------------


def test_a_floating_ip_is_where_its_instance_comes_from_and_is_reached_at(cloud: Cloud) -> None:
    assert who_answers(cloud, "203.0.113.50") == "one"
    assert comes_from(cloud, ONE) == "203.0.113.50"
    assert comes_from(cloud, TWO) == cloud.record("acme/routers/edge").leases["external.v4"]
    assert cloud.sh(TWO, "wget -qO- http://203.0.113.50/").text.startswith('{"hostname": "one"'), "from inside too"


def test_a_floating_ip_that_moves_is_the_other_instances_at_once(cloud: Cloud) -> None:
    """What went on through it is cut: it would go the old way for as long as it lasted."""
    assert who_answers(cloud, "203.0.113.50") == "one"
    cloud.lab.run("neighbour", ["sh", "-c", "ping -i 0.2 203.0.113.50 >/dev/null 2>&1 & echo $! >/tmp/nets-ping"])
    try:
        plan = cloud.change("address: 203.0.113.50, instance: one", "address: 203.0.113.50, instance: two")
        assert [str(step.address) for step in plan.steps] == ["acme/floating_ips/www"]
        assert who_answers(cloud, "203.0.113.50") == "two"
        lines = cloud.heard_by(TWO, "icmp and src host 203.0.113.1", lambda: time.sleep(1))
        assert lines, "the same ping goes on, to the other instance"
    finally:
        cloud.lab.run("neighbour", ["sh", "-c", "kill $(cat /tmp/nets-ping)"])
    assert comes_from(cloud, ONE) == cloud.record("acme/routers/edge").leases["external.v4"]


def test_neighbours_learn_of_another_router_at_once(cloud: Cloud) -> None:
    """Its MAC is another: without being told, the neighbour would send to the old one for minutes."""
    assert who_answers(cloud, "203.0.113.50") == "one"
    before = known_to_the_neighbour(cloud, "203.0.113.50")
    assert before == cloud.record("acme/routers/edge").leases["external.mac"]
    cloud.change("address: 203.0.113.50, instance: one", "address: 203.0.113.50, instance: three")
    assert known_to_the_neighbour(cloud, "203.0.113.50") == cloud.record("acme/routers/rear").leases["external.mac"]
    assert who_answers(cloud, "203.0.113.50") == "three"


def test_a_router_moves_to_another_host_with_its_floating_ips(cloud: Cloud) -> None:
    """The floating IP comes after its router, on a host that had neither; and the switch learns of the MAC."""
    assert who_answers(cloud, "203.0.113.50") == "one"
    plan = cloud.change(EDGE, EDGE.replace("network-1", "network-2"))
    made = {(str(step.address), step.host): step for step in plan.steps if step.want is not None}
    floating, router = made["acme/floating_ips/www", "network-2"], made["acme/routers/edge", "network-2"]
    assert router.number in floating.after
    assert who_answers(cloud, "203.0.113.50") == "one"
    assert comes_from(cloud, ONE) == "203.0.113.50"
    assert cloud.ping(ONE, "10.20.0.1")
    uuid = cloud.record("acme/routers/edge").leases["uuid"]
    assert uuid not in cloud.lab.run("network-1", ["ip", "netns", "list"])
    assert [(str(step.address), step.host, step.changes) for step in cloud.plan().steps] == []


@pytest.mark.long
def test_ports_of_a_router_and_of_a_floating_ip_lead_to_instances(cloud: Cloud) -> None:
    """Of both, from outside and from inside; security groups see who comes, and other ports lead nowhere."""
    edge = EDGE.replace("ha: false}", 'ha: false, forwards: [{port: 8080, to: "two:80"}]}')
    ports = '[{port: 81, to: "one:80"}, {port: 82, to: "two:80"}]'
    many = f"      many: {{network: public, address: 203.0.113.51, forwards: {ports}}}\n"
    cloud.apply(SPEC.replace(EDGE, edge) + many)
    own = cloud.record("acme/routers/edge").leases["external.v4"]
    assert who_answers(cloud, f"{own}:8080") == "two"
    assert who_answers(cloud, "203.0.113.51:81") == "one"
    assert who_answers(cloud, "203.0.113.51:82") == "two"
    assert who_answers(cloud, "203.0.113.50") == "one", "the other floating IP leads on as before"
    for at in (f"{own}:8080", "203.0.113.51:82"):
        assert cloud.sh(ONE, f"wget -qO- http://{at}/").text.startswith('{"hostname": "two"'), "from inside too"
    assert cloud.plan().empty
    cloud.router("acme/routers/edge", "sh", "-c", "nft list tables | grep stead_ | sed 's/^/delete /' | nft -f -")
    assert [str(step.address) for step in cloud.plan().steps] == ["acme/floating_ips/many"]
    plan = cloud.change('{port: 82, to: "two:80"}', '{port: 82, to: "two:80"}, {port: 83, to: "one:80"}')
    assert [step.disturbs.name for step in plan.steps] == ["NONE"]
    assert who_answers(cloud, "203.0.113.51:83") == "one"
    cloud.apply(SPEC)
    for at in (f"{own}:8080", "203.0.113.51:81"):
        with pytest.raises(CalledProcessError):
            pytest.fail(f"{who_answers(cloud, at)} answers at {at}")


# Routers -------------------------------------------------------------------------------------------------------------


def test_one_router_joins_several_networks(cloud: Cloud) -> None:
    text = SPEC.replace("      rear: {external: public, networks: [back], host: network-1, ha: false}\n", "")
    cloud.apply(text.replace("networks: [app], host", "networks: [app, back], host"))
    assert cloud.ping(ONE, "10.30.0.13")
    assert cloud.ping(ONE, "three", "-4"), "names of the networks that it joins resolve"
    assert comes_from(cloud, THREE, "back") == cloud.record("acme/routers/edge").leases["external.v4"]


@pytest.mark.long
def test_a_network_that_passes_to_another_router_is_reached_over_ipv6_at_once(cloud: Cloud) -> None:
    """Guests know the old router's MAC under the same address, and must hear of the new one's; so must the world."""
    edge, rear = "edge: {external: public, networks: [app]", "rear: {external: public, networks: [back]"
    lines = SPEC.splitlines()
    only_edge = [line.replace("[app], host", "[app, back], host") for line in lines if rear not in line]
    only_rear = [line.replace("[back], host", "[app, back], host") for line in lines if edge not in line]
    cloud.apply("\n".join(only_edge))
    target = cloud.address(THREE, 6)
    patiently(lambda: cloud.ping(ONE, target))
    cloud.apply("\n".join(only_rear))
    assert cloud.ping(ONE, target, "-c", "5", "-W", "2"), "what they knew lasts for half a minute"
    assert cloud.ping(ONE, cloud.address(THREE))
    assert who_answers(cloud, "203.0.113.50") == "one"


def test_networks_that_no_router_joins_are_apart(cloud: Cloud) -> None:
    assert cloud.no_ping(ONE, "10.30.0.13")


@pytest.mark.long
def test_without_hiding_inner_addresses_leave_as_they_are(cloud: Cloud) -> None:
    """The world has to know the way back, and then sees who it is."""
    cloud.apply(SPEC.replace(EDGE, EDGE.replace("{external", "{snat: false, external")))
    router = cloud.record("acme/routers/edge").leases["external.v4"]
    assert comes_from(cloud, TWO) == ""
    cloud.lab.run("neighbour", ["ip", "route", "add", "10.20.0.0/24", "via", router])
    try:
        assert comes_from(cloud, TWO) == "10.20.0.12"
    finally:
        cloud.lab.run("neighbour", ["ip", "route", "delete", "10.20.0.0/24"])


def test_a_static_route_leads_through_an_instance(cloud: Cloud) -> None:
    """two has a network behind it, which it may speak for."""
    cloud.sh(TWO, "ip address add 192.168.77.1/32 dev lo")
    assert cloud.no_ping(ONE, "192.168.77.1")
    routes = "routes: [{to: 192.168.77.0/24, via: 10.20.0.12}]"
    cloud.apply(SPEC.replace(EDGE, EDGE.replace("{external", "{" + routes + ", external")))
    assert cloud.ping(ONE, "192.168.77.1")
    cloud.apply(SPEC)
    assert cloud.no_ping(ONE, "192.168.77.1")


@pytest.mark.long
def test_the_way_out_changes_and_goes(cloud: Cloud) -> None:
    assert comes_from(cloud, TWO).startswith("203.0.113.")
    without = SPEC.partition("    floating_ips:")[0]
    cloud.apply(without.replace(EDGE, EDGE.replace("external: public", "external: office")))
    assert comes_from(cloud, TWO, target="198.51.100.1") == cloud.record("acme/routers/edge").leases["external.v4"]
    cloud.apply(without.replace(EDGE, EDGE.replace("external: public, ", "")))
    assert comes_from(cloud, TWO, target="198.51.100.1") == ""
    assert comes_from(cloud, TWO) == ""
    assert cloud.ping(ONE, "10.20.0.1")
    assert cloud.ping(ONE, "10.20.0.12")


def test_a_packet_too_large_for_the_way_is_told_back(cloud: Cloud) -> None:
    """The router's error belongs to a connection that is allowed, so it comes in: else large answers would be lost."""
    cloud.router("acme/routers/edge", "ip", "route", "add", "203.0.113.200/32", "via", "203.0.113.1", "mtu", "1000")
    try:
        told = cloud.heard_by(
            TWO, "icmp[0] == 3 and icmp[1] == 4", lambda: cloud.sh(TWO, "ping -c 1 -W 1 -s 1200 203.0.113.200")
        )
        assert told
        assert "mtu 1000" in told[0]
    finally:
        cloud.router("acme/routers/edge", "ip", "route", "delete", "203.0.113.200/32")


# Names and addresses -------------------------------------------------------------------------------------------------


def test_outside_names_resolve_through_the_networks_own_server(cloud: Cloud) -> None:
    """And its own names still do, since guests ask it and nobody else."""
    asked = "import sys; exec(sys.argv[1])"
    script = 'python3 -c "$1" "$2" >/dev/null 2>&1 & echo $! >/tmp/nets-names'
    cloud.lab.run("neighbour", ["sh", "-c", script, "sh", asked, NAMES])
    try:
        assert "192.0.2.80" in patiently(lambda: _found(cloud.sh(ONE, "nslookup www.example.org").text))
        assert "10.20.0.12" in cloud.sh(ONE, "nslookup two").text
        assert cloud.sh(ONE, "cat /etc/resolv.conf").text.count("nameserver") == 2
        assert "192.0.2.80" not in cloud.sh(ONE, "nslookup nobody").text, "a plain name is asked nowhere else"
        assert "192.0.2.80" not in cloud.sh(THREE, "nslookup www.example.org", "back").text, "back asks nobody"
    finally:
        cloud.lab.run("neighbour", ["sh", "-c", "kill $(cat /tmp/nets-names)"])


def _found(text: str) -> str:
    assert "192.0.2.80" in text, text
    return text


def test_an_address_made_from_the_mac_is_the_one_that_was_planned(cloud: Cloud) -> None:
    """SLAAC: the router announces the prefix, and the guest makes what was recorded, which others resolve and reach."""
    told = json.loads(cloud.within("acme/networks/app", "curl", "-sS", "-m", "9", "http://10.20.0.11/"))
    octets = cloud.mac(ONE).split(":")
    made = f"fd00:20::{int(octets[0], 16) ^ 2:02x}{octets[1]}:{octets[2]}ff:fe{octets[3]}:{octets[4]}{octets[5]}"
    assert len(told["ipv6"]) == 1
    assert _same(told["ipv6"][0], made)
    assert cloud.ping(TWO, told["ipv6"][0])
    assert cloud.ping(TWO, "one", "-6")
    assert cloud.ping(ONE, "fd00:20::1")


def _same(one: str, other: str) -> bool:
    return ip_address(one) == ip_address(other)


def test_an_instance_on_a_physical_network_is_a_neighbour_there(cloud: Cloud) -> None:
    """Directly: no tunnel, no router, no server of Stead's; its address comes with its configuration."""
    answer = patiently(
        lambda: json.loads(cloud.lab.run("neighbour", ["curl", "-sS", "-m", "4", "http://198.51.100.44/"]))
    )
    assert answer["hostname"] == "outside"
    assert "198.51.100.1" in answer["client"]
    assert known_to_the_neighbour(cloud, "198.51.100.44") == cloud.mac("acme/instances/outside")


# Under traffic -------------------------------------------------------------------------------------------------------

# Prints what it is sent.
LISTENS = """
import socket
stream, who = socket.create_server(("203.0.113.1", 9000)).accept()
while text := stream.recv(65536).decode():
    print(text, end="", flush=True)
"""
REAR = "      rear: {external: public, networks: [back], host: network-1, ha: false}\n"


def test_a_network_joins_a_router_and_leaves_it_under_traffic(cloud: Cloud) -> None:
    """Of those that are joined already no packet is lost, and nothing of the router is made anew but two chains of NAT,
    which a transaction exchanges: connections keep the addresses that they were given."""
    router, alone = "acme/routers/edge", SPEC.replace(REAR, "")
    cloud.apply(alone)
    before = parts_of(cloud, router)
    with traffic(cloud):
        plan = cloud.apply(alone.replace("networks: [app], host", "networks: [app, back], host"))
        assert [str(one.disturbs) for one in plan.steps if str(one.address) == router] == ["none"]
        assert cloud.ping(ONE, cloud.address(THREE)), "it is joined"
        assert before - parts_of(cloud, router) == set()
        cloud.apply(alone)
        assert cloud.no_ping(ONE, cloud.address(THREE))
        assert parts_of(cloud, router) == before


def parts_of(cloud: Cloud, router: str) -> set[str]:
    """What is there of a router, with the numbers by which the kernel tells things that are made anew."""
    record = cloud.record(router)
    name = f"stead-router-{record.leases['uuid']}"
    script = f"stat -L -c 'namespace %i' /run/netns/{name}; ip -n {name} -oneline link show | cut -d' ' -f1-2"
    found = set(cloud.lab.run(record.host, ["sh", "-c", script]).splitlines())
    for one in json.loads(cloud.router(router, "nft", "--json", "--handle", "list", "ruleset"))["nftables"]:
        ((kind, fields),) = one.items()
        if kind in ("table", "map"):
            found |= {f"{kind} {fields['name']} {fields['handle']} {one}" for one in fields.get("elem", [""])}
    return found


@contextmanager
def traffic(cloud: Cloud) -> Iterator[None]:
    """Pings by a floating IP, pings by the router's own address, and a connection that counts: none loses anything."""
    listens = 'python3 -c "$1" >/tmp/stream 2>&1 & echo $! >/tmp/pids'
    cloud.lab.run("neighbour", ["sh", "-c", listens, "sh", LISTENS])
    cloud.lab.run("neighbour", ["sh", "-c", "ping -i 0.2 203.0.113.50 >/tmp/in 2>&1 & echo $! >>/tmp/pids"])
    counts = "n=0; while sleep 0.1; do n=$((n+1)); echo $n; done | nc 203.0.113.1 9000"
    pings = "ping 203.0.113.1 >/tmp/out"
    cloud.sh(TWO, f"(({counts}) & echo $! >/tmp/pids; {pings} & echo $! >>/tmp/pids) >/dev/null 2>&1 </dev/null")
    try:
        _goes_on(cloud)
        yield
        _goes_on(cloud)
        assert {what: lost(numbers) for what, numbers in heard(cloud).items()} == {"stream": [], "in": [], "out": []}
    finally:
        cloud.sh(TWO, "kill $(cat /tmp/pids)")
        cloud.lab.run("neighbour", ["sh", "-c", "kill $(cat /tmp/pids) 2>/dev/null || true"])


def heard(cloud: Cloud) -> dict[str, list[int]]:
    """Numbers of what arrived."""
    lines = {
        "stream": cloud.lab.run("neighbour", ["cat", "/tmp/stream"]),
        "in": cloud.lab.run("neighbour", ["cat", "/tmp/in"]),
        "out": cloud.sh(TWO, "cat /tmp/out").text,
    }
    return {
        what: [int(one) for one in re.findall(r"(?:^|seq=)(\d+)(?:$| ttl)", text, re.MULTILINE)]
        for what, text in lines.items()
    }


def lost(numbers: Sequence[int]) -> list[int]:
    return sorted(set(range(min(numbers), max(numbers) + 1)) - set(numbers))


def _goes_on(cloud: Cloud) -> None:
    before = heard(cloud)
    patiently(lambda: all(len(now) > len(before[what]) + 3 for what, now in heard(cloud).items()))


# What serves it ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["dhcp", "announce"])
def test_a_server_that_is_killed_comes_back(cloud: Cloud, kind: str) -> None:
    resource = "acme/networks/app" if kind == "dhcp" else "acme/routers/edge"
    record = cloud.record(resource)
    unit = f"stead-{kind}-{record.leases['uuid']}.service"

    def process() -> int:
        found = int(cloud.lab.run(record.host, ["systemctl", "show", "--property=MainPID", "--value", unit]))
        assert found > 0
        return found

    before = process()
    cloud.lab.run(record.host, ["kill", "-9", str(before)])
    after = patiently(lambda: _other(process(), before))
    assert after != before
    if kind == "dhcp":
        assert cloud.sh(ONE, "udhcpc -i eth0 -n -q -f -t 3 -T 3 -s /bin/true").status == 0
    else:
        default = "ip -6 route show default"
        cloud.sh(ONE, "cd /proc/sys/net/ipv6/conf/eth0; echo 1 >disable_ipv6; echo 0 >disable_ipv6")
        assert patiently(lambda: "fe80::" in cloud.sh(ONE, default).text), "a guest that asks is told the way out"


def _other(found: int, before: int) -> int:
    assert found != before
    return found


def test_a_vlan_is_refused_where_the_kernel_has_none_before_any_host_is_touched(cloud: Cloud) -> None:
    """The planner knows from what the hosts told of themselves, and says so."""
    able = cloud.lab.run("compute-1", ["sh", "-c", "unshare -n ip link add v type vlan id 2 link lo 2>&1 || true"])
    vlan = "lan: {type: vlan, physical: office, vlan: 7, subnets: {v4: {cidr: 10.70.0.0/24}}}\n      back: {"
    cloud.text = SPEC.replace("back: {", vlan, 1)
    try:
        plan, found = cloud.planned()
    finally:
        cloud.text = SPEC
    if not able.strip():
        assert plan is not None
        return
    assert plan is None
    assert [one.code for one in found] == ["STEAD-P001"]
    assert "feature=vlan" in found[0].detail
    assert found[0].place is not None
