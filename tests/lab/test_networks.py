"""What guests on two hosts can say to each other, and what they cannot: told by packets.

Two projects have the same addresses on the same hosts. One more instance of each is off, and a namespace has its place:
it sends what no decent guest would.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator

import pytest
from beginnings import SMALL
from networking import Cloud, StandIn, bridge_of, workspace

from stead.lab.site import Lab
from stead.lab.sizes import parse

pytestmark = pytest.mark.lab

HOSTS = {"hosts": {"compute": {"count": 2, "cpus": 8}, "network": {"count": 1}}}
SPEC = (
    SMALL
    + """projects:
  acme:
    networks:
      app: {subnets: {v4: {cidr: 10.20.0.0/24, dhcp_address: 10.20.0.2}, v6: {cidr: "fd00:20::/64"}}}
    routers:
      inner: {networks: [app]}
    security_groups:
      web:
        ingress:
          - {protocol: tcp, ports: 80}
          - {protocol: icmp}
          - {protocol: icmpv6}
    instances:
      near: {flavor: small, image: tiny, host: compute-1, networks: [{network: app, address: 10.20.0.11}],
             security_groups: [web], stop_timeout: 5s, cloud_init: {user_data: OBEYS}}
      far: {flavor: small, image: tiny, host: compute-2, networks: [{network: app, address: 10.20.0.12}],
            security_groups: [web], stop_timeout: 5s, cloud_init: {user_data: OBEYS}}
      beside: {flavor: small, image: tiny, host: compute-1,
               networks: [{network: app, address: [10.20.0.13, "fd00:20::13"]}],
               security_groups: [web], stop_timeout: 5s, cloud_init: {user_data: OBEYS}}
      rogue: {flavor: small, image: tiny, host: compute-2, networks: [{network: app, address: 10.20.0.66}],
              security_groups: [web], state: stopped}
  other:
    networks:
      app: {subnets: {v4: {cidr: 10.20.0.0/24, dhcp_address: 10.20.0.2}, v6: {cidr: "fd00:20::/64"}}}
    security_groups:
      open: {ingress: [{protocol: any}]}
    instances:
      near: {flavor: small, image: tiny, host: compute-1, networks: [{network: app, address: 10.20.0.11}],
             security_groups: [open], stop_timeout: 5s, cloud_init: {user_data: OBEYS}}
      far: {flavor: small, image: tiny, host: compute-2, networks: [{network: app, address: 10.20.0.12}],
            security_groups: [open], stop_timeout: 5s, cloud_init: {user_data: OBEYS}}
"""
)
NEAR, FAR, BESIDE = "acme/instances/near", "acme/instances/far", "acme/instances/beside"
OTHER_NEAR, OTHER_FAR = "other/instances/near", "other/instances/far"


@pytest.fixture(scope="module")
def cloud(make_lab: Callable[..., Lab], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    found = workspace(make_lab("n", parse(HOSTS, "test")), tmp_path_factory.mktemp("networks"))
    found.apply(SPEC)
    found.obeys(NEAR, FAR, BESIDE, OTHER_NEAR, OTHER_FAR)
    yield found
    found.store.close()


@pytest.fixture
def rogue(cloud: Cloud) -> Iterator[StandIn]:
    with StandIn(cloud, "acme/instances/rogue") as found:
        yield found


# Together, and apart -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", [FAR, BESIDE])
def test_guests_reach_each_other_by_name(cloud: Cloud, who: str) -> None:
    """On another host and on the same one, by both families, by short and full name."""
    name = who.rpartition("/")[2]
    assert cloud.ping(NEAR, cloud.address(who))
    assert cloud.ping(NEAR, name, "-4")
    assert cloud.ping(NEAR, f"{name}.acme.stead.internal", "-6")
    assert cloud.ping(who, "near", "-6")


def test_each_guest_has_the_addresses_that_were_planned(cloud: Cloud) -> None:
    for who in (NEAR, FAR, BESIDE):
        told = json.loads(cloud.within("acme/networks/app", "curl", "-sS", "-m", "9", f"http://{cloud.address(who)}/"))
        assert (told["ipv4"], told["ipv6"]) == ([cloud.address(who)], [cloud.address(who, 6)])


def test_guests_reach_their_router_by_both_families(cloud: Cloud) -> None:
    assert cloud.ping(NEAR, "10.20.0.1")
    assert cloud.ping(NEAR, "fd00:20::1")
    assert "fe80::" in cloud.sh(NEAR, "ip -6 route show default").text, "the router announces itself"


def test_the_same_address_in_two_projects_is_two_guests(cloud: Cloud) -> None:
    """Each asks 10.20.0.12 for a thing that only the one of its own project has."""
    for project, asking, asked in (("acme", NEAR, FAR), ("other", OTHER_NEAR, OTHER_FAR)):
        assert cloud.address(asked) == "10.20.0.12"
        assert cloud.sh(asked, f"echo {project} >/srv/http/project").status == 0
        assert cloud.sh(asking, "wget -qO- http://10.20.0.12/project").text == f"{project}\n"
        assert cloud.sh(asking, "wget -qO- http://[fd00:20::1]/project").status != 0


def test_nothing_of_one_project_arrives_in_another(cloud: Cloud) -> None:
    """beside and the router are acme's alone: what the other project says to their addresses reaches nobody."""
    for who in ("10.20.0.13", cloud.address(BESIDE, 6), "10.20.0.1"):
        assert cloud.ping(NEAR, who)
        assert cloud.no_ping(OTHER_NEAR, who)
        assert cloud.no_ping(OTHER_FAR, who)

    def noise() -> None:
        cloud.sh(OTHER_NEAR, "ping -c 3 -b 10.20.0.255; ping -c 2 ff02::1%eth0; arping -c 2 -I eth0 10.20.0.13")

    mac = cloud.mac(OTHER_NEAR)
    assert cloud.heard_by(BESIDE, f"ether src {mac}", noise) == []
    assert len(cloud.heard_by(OTHER_FAR, f"ether src {mac}", noise)) > 2, "and its own network heard it"


def test_each_network_is_served_by_its_own(cloud: Cloud) -> None:
    """A request for an address is heard by the server of the guest's network and by no other, which has its address."""
    mac = cloud.mac(OTHER_FAR)

    def ask() -> None:
        said = cloud.sh(OTHER_FAR, "udhcpc -i eth0 -n -q -f -t 3 -T 3 -s /bin/true")
        assert "lease of 10.20.0.12 obtained from 10.20.0.2" in said.text

    assert len(cloud.heard_by_server("other/networks/app", f"ether src {mac} and udp port 67", ask)) >= 2
    assert cloud.heard_by_server("acme/networks/app", f"ether src {mac}", ask) == []
    assert cloud.sh(OTHER_FAR, "nslookup near").status == 0
    assert cloud.sh(OTHER_FAR, "nslookup beside").status != 0
    assert cloud.sh(OTHER_FAR, "nslookup beside.acme.stead.internal").status != 0
    assert "10.20.0.13" in cloud.sh(NEAR, "nslookup beside").text


def test_what_one_tenant_has_open_does_not_open_anything_for_another(cloud: Cloud) -> None:
    """Same addresses, same ports, same host: the kernel keeps the connections of both apart."""
    for project, asking in (("acme", NEAR), ("other", OTHER_NEAR)):
        cloud.sh(asking, "ping -c 1 10.20.0.12")
        record = cloud.record(f"{project}/networks/app")
        zones = cloud.lab.run("compute-1", ["nft", "-j", "list", "map", "inet", "stead", "zones"])
        table = next(one["map"] for one in json.loads(zones)["nftables"] if "map" in one)
        zone = dict(map(tuple, table["elem"]))[bridge_of(record)]
        known = cloud.lab.run("compute-1", ["conntrack", "-L", "-w", str(zone), "-p", "icmp"])
        assert "src=10.20.0.11 dst=10.20.0.12" in known
    assert len(table["elem"]) == len({zone for _bridge, zone in table["elem"]})


# What a guest may not claim ------------------------------------------------------------------------------------------

ARP = """
import socket, struct
def mac(text): return bytes.fromhex(text.replace(":", ""))
def ip(text): return socket.inet_aton(text)
raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
raw.bind(("eth0", 0))
def say(source, sender, address):
    body = struct.pack("!HHBBH", 1, 0x800, 6, 4, 2) + mac(sender) + ip(address) + b"\\xff" * 6 + ip(address)
    raw.send(b"\\xff" * 6 + mac(source) + b"\\x08\\x06" + body)
"""
ND = """
import socket, struct
def mac(text): return bytes.fromhex(text.replace(":", ""))
def ip(text): return socket.inet_pton(socket.AF_INET6, text)
raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
raw.bind(("eth0", 0))
def total(data):
    while len(data) % 2: data += b"\\0"
    found = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while found >> 16: found = (found & 0xffff) + (found >> 16)
    return ~found & 0xffff
def say(own, source, body, protocol=58, target="ff02::1"):
    pseudo = ip(source) + ip(target) + struct.pack("!II", len(body), protocol)
    at = {58: 2, 17: 6}[protocol]
    body = body[:at] + struct.pack("!H", total(pseudo + body)) + body[at + 2:]
    packet = struct.pack("!IHBB", 6 << 28, len(body), protocol, 255) + ip(source) + ip(target) + body
    raw.send(b"\\x33\\x33\\0\\0\\0\\x01" + mac(own) + b"\\x86\\xdd" + packet)
def advertise(own, source, target): # "target is at own"
    say(own, source, struct.pack("!BBHI", 136, 0, 0, 0x20000000) + ip(target) + b"\\x02\\x01" + mac(own))
"""


def test_a_guest_cannot_answer_for_anothers_address(cloud: Cloud, rogue: StandIn) -> None:
    own, other = rogue.mac, cloud.mac(NEAR)
    lines = cloud.heard_by(
        FAR,
        "arp",
        lambda: rogue.python(
            ARP + f"say({own!r}, {own!r}, '10.20.0.11'); say({own!r}, {other!r}, '10.20.0.66')\n"
            f"say({other!r}, {other!r}, '10.20.0.11'); say({own!r}, {own!r}, '10.20.0.66')"
        ),
    )
    told = [line for line in lines if "Reply" in line]
    assert len(told) == 1, told
    assert f"Reply 10.20.0.66 is-at {own}" in told[0]


def test_a_guest_cannot_advertise_anothers_ipv6_address(cloud: Cloud, rogue: StandIn) -> None:
    own, local, mine = rogue.mac, rogue.link_local, cloud.address("acme/instances/rogue", 6)
    theirs, router = cloud.address(NEAR, 6), "fe80::1"
    lines = cloud.heard_by(
        FAR,
        "icmp6",
        lambda: rogue.python(
            ND + f"advertise({own!r}, {local!r}, {theirs!r}); advertise({own!r}, {mine!r}, {theirs!r})\n"
            f"advertise({own!r}, {theirs!r}, {theirs!r}); advertise({own!r}, {router!r}, {router!r})\n"
            f"advertise({own!r}, {mine!r}, {mine!r})"
        ),
    )
    told = [line for line in lines if "neighbor advertisement" in line and own in line]
    assert len(told) == 1, told
    assert f"tgt is {mine}" in told[0]


def test_a_guest_is_no_router_and_no_server(cloud: Cloud, rogue: StandIn) -> None:
    """Its advertisements and answers reach nobody; what a client says to a server does."""
    own, local = rogue.mac, rogue.link_local
    offer = "struct.pack('!HHHH', 67, 68, 8 + 20, 0) + bytes(20)"
    six = "struct.pack('!HHHH', 547, 546, 8 + 20, 0) + bytes(20)"
    asks = "struct.pack('!HHHH', 546, 547, 8 + 20, 0) + bytes(20)"
    four = (
        "def four(data):\n"
        " head = struct.pack('!BBHHHBBH', 0x45, 0, 20 + len(data), 1, 0, 64, 17, 0)\n"
        " head += socket.inet_aton('10.20.0.66') + socket.inet_aton('255.255.255.255')\n"
        " head = head[:10] + struct.pack('!H', total(head)) + head[12:]\n"
        f" raw.send(b'\\xff' * 6 + mac({own!r}) + b'\\x08\\0' + head + data)\n"
    )
    lines = cloud.heard_by_server(
        "acme/networks/app",
        f"ether src {own}",
        lambda: rogue.python(
            ND + four + f"say({own!r}, {local!r}, struct.pack('!BBHBBHII', 134, 0, 0, 64, 0, 1800, 0, 0))\n"
            f"four({offer})\nsay({own!r}, {local!r}, {six}, 17)\n"
            f"four(struct.pack('!HHHH', 68, 67, 28, 0) + bytes(20))\nsay({own!r}, {local!r}, {asks}, 17)"
        ),
    )
    ports = [line for line in lines if "." in line]
    assert not [line for line in ports if "router advertisement" in line or ".67 >" in line or ".547 >" in line], ports
    assert [line for line in ports if "10.20.0.66.68 > 255.255.255.255.67" in line], ports
    assert [line for line in ports if ".546 > ff02::1.547" in line], ports


def test_a_guest_cannot_send_from_anothers_address(cloud: Cloud) -> None:
    """A real one, which gives itself the addresses: they are of no use to it."""
    forged = "ip address add 10.20.0.99/32 dev eth0; ip address add fd00:20::99/128 dev eth0"
    back = "; ip address del 10.20.0.99/32 dev eth0; ip address del fd00:20::99/128 dev eth0"

    def try_it() -> None:
        cloud.sh(BESIDE, f"{forged}; ping -c 2 -W 1 -I 10.20.0.99 10.20.0.11{back}")
        cloud.sh(BESIDE, f"{forged}; ping -c 2 -W 1 -I fd00:20::99 {cloud.address(NEAR, 6)}{back}")
        cloud.sh(BESIDE, "ping -c 1 10.20.0.11")

    lines = cloud.heard_by(NEAR, f"ether src {cloud.mac(BESIDE)} and (icmp or icmp6)", try_it)
    assert not [line for line in lines if "0.99" in line or "::99" in line], lines
    assert [line for line in lines if "10.20.0.13 > 10.20.0.11" in line], lines


def test_an_allowed_address_opens_that_and_no_more(cloud: Cloud, rogue: StandIn) -> None:
    """An address, a network, and a MAC with its address, as VRRP has it."""
    text = cloud.text
    pairs = '[10.20.0.100, 10.99.0.0/16, {address: 10.20.0.101, mac: "00:00:5e:00:01:07"}, "fd00:20::100"]'
    plan = cloud.change("address: 10.20.0.66}", f"address: 10.20.0.66, allowed_addresses: {pairs}}}")
    assert {str(step.address) for step in plan.steps} >= {"acme/instances/rogue"}
    own, virtual, local = rogue.mac, "00:00:5e:00:01:07", rogue.link_local
    try:
        lines = cloud.heard_by(
            FAR,
            "arp or icmp6",
            lambda: rogue.python(
                ARP + f"say({own!r}, {own!r}, '10.20.0.100'); say({own!r}, {own!r}, '10.99.3.4')\n"
                f"say({virtual!r}, {virtual!r}, '10.20.0.101')\n"
                f"say({own!r}, {own!r}, '10.20.0.101'); say({virtual!r}, {virtual!r}, '10.20.0.100')\n"
                f"say({own!r}, {own!r}, '10.20.0.11'); say({own!r}, {own!r}, '10.98.0.1')\n"
                + ND
                + f"advertise({own!r}, {local!r}, 'fd00:20::100'); advertise({own!r}, {local!r}, 'fd00:20::101')"
            ),
        )
    finally:
        cloud.apply(text)
    told = sorted(line.partition("Reply ")[2].partition(",")[0] for line in lines if "Reply" in line)
    assert told == [f"10.20.0.100 is-at {own}", f"10.20.0.101 is-at {virtual}", f"10.99.3.4 is-at {own}"]
    six = [line for line in lines if "neighbor advertisement" in line and own in line]
    assert len(six) == 1
    assert "tgt is fd00:20::100" in six[0]


def test_guards_are_back_after_a_boot(cloud: Cloud) -> None:
    """Before libvirt starts the guests that start with the host."""
    has = cloud.lab.run("compute-2", ["nft", "list", "table", "bridge", "stead"])
    cloud.lab.run("compute-2", ["nft", "delete", "table", "bridge", "stead"])
    cloud.lab.run("compute-2", ["nft", "delete", "table", "inet", "stead"])
    cloud.lab.run("compute-2", ["systemctl", "restart", "stead-restore"])
    assert sorted(cloud.lab.run("compute-2", ["nft", "list", "table", "bridge", "stead"]).splitlines()) == sorted(
        has.splitlines()
    )
    assert "zones" in cloud.lab.run("compute-2", ["nft", "list", "table", "inet", "stead"])


def test_a_second_plan_is_empty(cloud: Cloud) -> None:
    assert cloud.plan().empty


def test_destroy_takes_the_guards_with_it(cloud: Cloud) -> None:
    cloud.carry_out(cloud.plan(destroy=True))
    for host in ("compute-1", "compute-2"):
        assert "st5254" not in cloud.lab.run(host, ["nft", "list", "ruleset"])
        with pytest.raises(subprocess.CalledProcessError):
            cloud.lab.run(host, ["sh", "-c", "ls /var/lib/stead/guards/* /var/lib/stead/filters/*"])
