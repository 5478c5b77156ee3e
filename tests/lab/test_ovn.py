"""Networks of OVN between guests on two hosts, with real packets: what passes, what does not, and what is left.

The kernel of the lab has no Open vSwitch: its datapath runs in userspace, and tunnels have a cable of their own. Two
projects have the same addresses. One instance is off, and a namespace has its place: it sends what no guest should.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import hostile_frames
import pytest
from beginnings import SMALL
from leftovers import differences, listing
from networking import workspace
from ovn_cloud import VARIABLES, InSwitch, OvnCloud, tap_of
from varying import variant
from waiting import patiently

from ansible_collections.stead.cloud.plugins.module_utils.host.net.ovn.naming import filtered_name, port_name
from stead.lab.site import Lab
from stead.lab.sizes import parse as parse_sizes

pytestmark = [pytest.mark.lab, pytest.mark.long]

HOSTS = {
    "hosts": {
        "compute": {"count": 2, "cpus": 8, "vars": VARIABLES},
        "network": {"count": 1, "roles": ["network", "controller"], "vars": VARIABLES},
    },
    "physical": {"carrier": {"hosts": ["compute"], "cidr": "198.51.100.0/24"}},
}
SPEC = (
    SMALL
    + """projects:
  acme:
    networks:
      app: {driver: ovn, type: geneve, subnets: {v4: {cidr: 10.20.0.0/24, dhcp_address: 10.20.0.2}}}
    security_groups:
      base:
        ingress: [{protocol: tcp, ports: 80, from: 10.20.0.2/32}]
        egress: [{protocol: any}]
      web: {ingress: [{protocol: tcp, ports: [8000, 8005-8010], from: {group: db}}], egress: []}
      db: {ingress: [{protocol: icmp}], egress: []}
    instances:
      near: {flavor: small, image: tiny, host: compute-1, networks: [{network: app, address: 10.20.0.11}],
             security_groups: [base, db], stop_timeout: 5s, cloud_init: {user_data: OBEYS}}
      far: {flavor: small, image: tiny, host: compute-2, networks: [{network: app, address: 10.20.0.12}],
            security_groups: [base, web, db], stop_timeout: 5s, cloud_init: {user_data: OBEYS}}
      beside: {flavor: small, image: tiny, host: compute-1, networks: [{network: app, address: 10.20.0.13}],
               security_groups: [base, web], stop_timeout: 5s, cloud_init: {user_data: OBEYS}}
      rogue: {flavor: small, image: tiny, host: compute-2, networks: [{network: app, address: 10.20.0.66}],
              security_groups: [base, db], state: stopped}
  other:
    networks:
      app: {driver: ovn, type: geneve, subnets: {v4: {cidr: 10.20.0.0/24, dhcp_address: 10.20.0.2}}}
    security_groups:
      open: {ingress: [{protocol: any}]}
    instances:
      near: {flavor: small, image: tiny, host: compute-1, networks: [{network: app, address: 10.20.0.11}],
             security_groups: [open], stop_timeout: 5s, cloud_init: {user_data: OBEYS}}
      far: {flavor: small, image: tiny, host: compute-2, networks: [{network: app, address: 10.20.0.12}],
            security_groups: [open], stop_timeout: 5s, cloud_init: {user_data: OBEYS}}
"""
)
NEAR, FAR, BESIDE, ROGUE = (f"acme/instances/{name}" for name in ("near", "far", "beside", "rogue"))
OTHER_NEAR, OTHER_FAR = "other/instances/near", "other/instances/far"
LISTENS = "(for port in 7999 8000 8005 8010 8011; do nc -ll -p $port -e echo hello & done) >/dev/null 2>&1"


@pytest.fixture(scope="module")
def cloud(make_lab: Callable[..., Lab], tmp_path_factory: pytest.TempPathFactory) -> Iterator[OvnCloud]:
    lab = make_lab("v", parse_sizes(HOSTS, "test"))
    found = OvnCloud(**vars(workspace(lab, tmp_path_factory.mktemp("ovn"))), before=listing(lab))
    found.apply(SPEC)
    found.obeys(NEAR, FAR, BESIDE, OTHER_NEAR, OTHER_FAR)
    found.sh(FAR, LISTENS)
    yield found
    found.store.close()


def opens(cloud: OvnCloud, who: str, port: int, address: str = "10.20.0.12") -> bool:
    return cloud.sh(who, f"nc -w 10 {address} {port} </dev/null").text == "hello\n"


def shut(cloud: OvnCloud, who: str, port: int, address: str = "10.20.0.12") -> bool:
    return cloud.sh(who, f"nc -w 2 {address} {port} </dev/null").status != 0


# Together, and apart -------------------------------------------------------------------------------------------------


def test_guests_on_two_hosts_reach_each_other_by_name(cloud: OvnCloud) -> None:
    assert cloud.ping(NEAR, "10.20.0.12")
    assert cloud.ping(NEAR, "far", "-4")
    assert cloud.ping(FAR, "near.acme.stead.internal", "-4")
    assert cloud.plan().empty, "and a second run changes nothing"


def test_each_guest_is_leased_the_address_that_was_planned(cloud: OvnCloud) -> None:
    said = cloud.sh(OTHER_FAR, "udhcpc -i eth0 -n -q -f -t 3 -T 3 -s /bin/true")
    assert "lease of 10.20.0.12 obtained from 10.20.0.2" in said.text


def test_the_same_address_in_two_projects_is_two_guests(cloud: OvnCloud) -> None:
    cloud.sh(OTHER_FAR, "(nc -ll -p 8000 -e echo other) >/dev/null 2>&1 &")
    assert cloud.sh(OTHER_NEAR, "nc -w 10 10.20.0.12 8000 </dev/null").text == "other\n"
    assert opens(cloud, NEAR, 8000)
    assert cloud.ping(OTHER_NEAR, "10.20.0.12")
    assert cloud.no_ping(OTHER_NEAR, "10.20.0.13"), "beside is acme's alone"
    assert cloud.sh(OTHER_FAR, "nslookup near").status == 0
    assert cloud.sh(OTHER_FAR, "nslookup beside").status != 0


# What groups let through ---------------------------------------------------------------------------------------------


def test_a_group_lets_in_its_ports_from_the_members_of_another(cloud: OvnCloud) -> None:
    assert [opens(cloud, NEAR, port) for port in (8000, 8005, 8010)] == [True] * 3
    assert [shut(cloud, NEAR, port) for port in (7999, 8011)] == [True] * 2
    assert shut(cloud, BESIDE, 8000), "it is not in the group that may"
    assert cloud.no_ping(NEAR, "10.20.0.13"), "beside lets no ICMP in"


def test_a_guest_that_joins_or_leaves_a_group_is_let_in_or_kept_out_while_it_runs(cloud: OvnCloud) -> None:
    plan = cloud.change("[base, web], stop_timeout", "[base, db], stop_timeout")
    assert {str(step.action) for step in plan.steps} == {"update"}
    assert opens(cloud, BESIDE, 8000)
    assert cloud.ping(NEAR, "10.20.0.13")
    cloud.apply(SPEC)
    assert shut(cloud, BESIDE, 8000)
    assert cloud.plan().empty


def test_a_large_packet_and_a_long_stream_arrive_whole(cloud: OvnCloud) -> None:
    assert cloud.ping(NEAR, "10.20.0.12", "-s", "1414")  # 1442 with its headers
    cloud.sh(FAR, "head -c 3000000 /dev/zero >/tmp/zeros; (nc -ll -p 8006 -e cat /tmp/zeros) >/dev/null 2>&1 &")
    assert cloud.sh(NEAR, "nc -w 20 10.20.0.12 8006 </dev/null | wc -c").text.strip() == "3000000"


# A guest that lies ---------------------------------------------------------------------------------------------------


def test_of_a_guest_that_claims_to_be_another_nothing_is_heard(cloud: OvnCloud) -> None:
    """Another's address or MAC, an answer for another's address, a DHCP server's or a router's word, an odd frame."""
    script = Path(hostile_frames.__file__).read_text()
    near, far = cloud.mac(NEAR), cloud.mac(FAR)
    with InSwitch(cloud, ROGUE) as rogue:
        send = f"""
tell = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
tell.bind(("eth0", 0))
echo = struct.pack("!BBHHH", 8, 0, 0, 1, 1)
echo = echo[:2] + struct.pack("!H", _total(echo)) + echo[4:]
own, near, far, everybody = {rogue.mac!r}, {near!r}, {far!r}, EVERYBODY
def say(*frames):
    for one in frames:
        for _turn in range(3):
            tell.send(one)
"""
        lies = """
say(
    frame(near, own, 0x800, four("10.20.0.12", "10.20.0.11", 1, echo)),
    frame(near, far, 0x800, four("10.20.0.66", "10.20.0.11", 1, echo)),
    frame(near, far, 0x800, four("10.20.0.12", "10.20.0.11", 1, echo)),
    frame(everybody, own, 0x806, arp(own, "10.20.0.12")),
    frame(everybody, own, 0x806, arp(far, "10.20.0.66")),
    frame(everybody, far, 0x806, arp(far, "10.20.0.12")),
    frame(near, own, 0x800, four("10.20.0.66", "10.20.0.11", 17, udp(68, b"offer", 67))),
    frame(everybody, own, 0x800, four("10.20.0.66", "255.255.255.255", 17, udp(68, b"offer", 67))),
    frame("33:33:00:00:00:01", own, 0x86DD, six("fe80::1", struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0))),
    frame(near, own, 0x88CC, b"odd" * 20),
)
"""
        truth = 'say(frame(near, own, 0x800, four("10.20.0.66", "10.20.0.11", 1, echo)))'
        heard = {}
        patiently(lambda: cloud.heard_by(NEAR, f"ether src {rogue.mac}", lambda: rogue.python(script + send + truth)))
        for who in (NEAR, FAR):
            theirs = f"ether src {rogue.mac} or ether src {far if who == NEAR else near}"
            heard[who] = cloud.heard_by(who, theirs, lambda: rogue.python(script + send + lies))
    assert heard == {NEAR: [], FAR: []}


def test_a_host_answers_none_of_its_guests(cloud: OvnCloud) -> None:
    """Its kernel has the same device as the switch: it would answer for its addresses, and take what is sent."""
    host = next(host.address for host in cloud.lab.hosts if host.name == "compute-1")
    assert "Received 0 response" in cloud.sh(NEAR, f"arping -c 2 -w 3 -I eth0 {host}").text
    heard = cloud.heard_by(NEAR, "icmp6 or arp", lambda: cloud.sh(NEAR, "ping -c 2 -W 2 ff02::1%eth0"))
    assert {line.split()[1] for line in heard} <= {cloud.mac(NEAR)}
    assert cloud.sh(NEAR, f"ip route add {host}/32 dev eth0; nc -w 3 {host} 22 </dev/null").status != 0
    cloud.sh(NEAR, f"ip route del {host}/32")


def test_nobody_without_a_certificate_reaches_the_databases(cloud: OvnCloud) -> None:
    """Nothing listens for the northbound one; a stranger on the underlay does not reach the other, a guest neither."""
    address = next(host.address for host in cloud.lab.hosts if host.name == "network-1")
    listening = cloud.lab.run("network-1", ["ss", "-Hltn", "sport = :6641 or sport = :6642"])
    assert [line.split()[3] for line in listening.splitlines()] == [f"{address}:6642"]
    with pytest.raises(TimeoutError), socket.create_connection((address, 6642), timeout=3):
        pass
    words = f"echo | timeout 10 openssl s_client -connect {address}:6642 -CAfile /etc/stead/ovn/ca-cert.pem 2>&1"
    ask = words.replace(" 2>&1", " -quiet 2>&1; true")
    assert "alert" in cloud.lab.run("compute-1", ["sh", "-c", ask]), "a host without its certificate is refused"
    assert cloud.sh(NEAR, f"nc -w 3 {address} 6642 </dev/null").status != 0


def test_a_host_changes_only_what_is_its_own(cloud: OvnCloud) -> None:
    """With the certificate of one host, the southbound database takes no change to another's chassis."""
    address = next(host.address for host in cloud.lab.hosts if host.name == "network-1")
    keys = "-p /etc/stead/ovn/client-key.pem -c /etc/stead/ovn/client-cert.pem -C /etc/stead/ovn/ca-cert.pem"
    words = f"ovn-sbctl --no-leader-only --db=ssl:{address}:6642 {keys} --timeout=10"
    change = f"{words} set chassis compute-2 nb_cfg=7 2>&1; true"
    assert "permission" in cloud.lab.run("compute-1", ["sh", "-c", change])


# What somebody takes away --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("host", "command"), [
    variant("network-1", "ovn-nbctl pg-del $(ovn-nbctl --bare --columns=name list port_group | grep ^sg_ | head -1)"),
    variant("network-1", "ovn-nbctl clear logical_switch_port PORT port_security"),
    ("network-1", "ovn-nbctl lsp-del PORT"),
    variant("network-1", "ovn-nbctl clear port_group NET acls"),
    variant("network-1", "ovn-nbctl --all destroy address_set"),
    ("network-1", "for one in $(ovn-nbctl --bare --columns=name list logical_switch); do ovn-nbctl ls-del $one; done"),
    ("compute-1", "ovs-vsctl del-port TAP"),
    ("compute-1", "systemctl kill --signal=KILL ovs-vswitchd; sleep 5; ovs-vsctl --timeout=30 show"),
    variant("compute-1", "ip netns delete PLACE"),
    variant("compute-1", "nft delete table inet stead_guests"),
])  # fmt: skip
def test_what_is_altered_is_seen_and_mended(cloud: OvnCloud, host: str, command: str) -> None:
    uuid, mac = cloud.record("acme/networks/app").leases["uuid"], cloud.mac(NEAR)
    told = {"PORT": port_name(uuid, mac), "NET": filtered_name(uuid), "TAP": tap_of(mac), "PLACE": cloud.place("acme")}
    for name, text in told.items():
        command = command.replace(name, text)
    cloud.lab.run(host, ["sh", "-c", command])
    plan = cloud.apply()
    assert {step.host for step in plan.steps} == {host}
    assert cloud.plan().empty
    patiently(lambda: cloud.sh(NEAR, "true"))
    assert opens(cloud, NEAR, 8000)
    assert shut(cloud, BESIDE, 8000)


@pytest.mark.parametrize("host", ["network-1", "compute-1"])
def test_a_host_that_boots_brings_back_what_it_had(cloud: OvnCloud, host: str) -> None:
    cloud.lab.crash(cloud.lab.host(host))
    if host == "network-1":
        assert cloud.ping(NEAR, "10.20.0.12"), "packets need no database"
    cloud.lab.start([cloud.lab.host(host)])
    cloud.obeys(NEAR, FAR, BESIDE)
    assert cloud.ping(NEAR, "10.20.0.12")
    assert opens(cloud, NEAR, 8000)
    assert cloud.plan().empty


def test_a_guest_moves_and_keeps_its_address_and_its_groups(cloud: OvnCloud) -> None:
    position = cloud.text.index("beside:")
    cloud.apply(cloud.text[:position] + cloud.text[position:].replace("host: compute-1", "host: compute-2", 1))
    assert cloud.record(BESIDE).host == "compute-2"
    patiently(lambda: cloud.sh(BESIDE, "true"))
    assert shut(cloud, BESIDE, 8000)
    assert cloud.plan().empty


def test_nothing_is_left(cloud: OvnCloud) -> None:
    cloud.carry_out(cloud.plan(destroy=True))
    tables = ("logical_switch", "logical_switch_port", "port_group", "acl", "address_set", "dhcp_options", "dns")
    assert [cloud.northbound("--bare", "list", table).strip() for table in tables] == [""] * len(tables)
    for host in ("compute-1", "compute-2"):
        ports = cloud.vswitch(host, "list-ports", "br-int").split()
        assert [name for name in ports if not name.startswith("ovn-")] == []
    left = differences(cloud.before, listing(cloud.lab))
    assert [one for one in left if not one.endswith("/traits.json")] == [], "that a host notes after a boot"
