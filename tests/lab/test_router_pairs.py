"""A router on two hosts: what a ping through its floating IP sees when the one that answers goes, and when it is back.
And the DHCP and DNS server of a network on two hosts: either one alone serves guests.

The bounds are what a tenant was promised: no more than three seconds after a power cut, one lost packet in a handover.
"""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from beginnings import WITH_PUBLIC
from networking import Cloud, workspace
from test_routers import who_answers
from waiting import patiently

from stead.core.needs import STANDBY
from stead.lab.site import Lab
from stead.lab.sizes import parse

pytestmark = pytest.mark.lab

HOSTS = {
    "hosts": {"compute": {"count": 1, "cpus": 8}, "network": {"count": 2}},
    "physical": {"external": {"hosts": ["network", "compute"], "cidr": "203.0.113.0/24"}},
}
SPEC = (
    WITH_PUBLIC
    + """projects:
  acme:
    networks:
      app:
        subnets: {v4: {cidr: 10.20.0.0/24}, v6: {cidr: "fd00:20::/64", ipv6: slaac}}
      back: {subnets: {v4: {cidr: 10.30.0.0/24}, v6: {cidr: "fd00:30::/64"}}}
    routers:
      edge: {external: public, networks: [app], ha: false}
    security_groups:
      open: {ingress: [{protocol: any}]}
    instances:
      one: {flavor: small, image: tiny, networks: [{network: app, address: 10.20.0.11}],
            security_groups: [open], stop_timeout: 5s, cloud_init: {user_data: OBEYS}}
    floating_ips:
      www: {network: public, address: 203.0.113.50, instance: one}
"""
)
EDGE, APP, ONE, OUT = "acme/routers/edge", "acme/networks/app", "acme/instances/one", "203.0.113.50"
EVERY = 0.1  # seconds between two pings
ELECTION = 15  # packets that are lost until a host that heard nothing takes over
PAIR = "keepalived.conf"


@pytest.fixture(scope="module")
def cloud(make_lab: Callable[..., Lab], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    found = workspace(make_lab("p", parse(HOSTS, "test")), tmp_path_factory.mktemp("pairs"))
    found.apply(SPEC)
    found.obeys(ONE)
    yield found
    found.store.close()


def inside(cloud: Cloud, host: str, *words: str) -> str:
    return cloud.lab.run(host, ["ip", "netns", "exec", f"stead-router-{cloud.record(EDGE).leases['uuid']}", *words])


def who_has(cloud: Cloud, *hosts: str) -> list[str]:
    """Hosts that have the addresses."""
    return [host for host in hosts if " 10.20.0.1/24" in inside(cloud, host, "ip", "-br", "address")]


def says(cloud: Cloud, script: str) -> str:
    """What the guest says when it is told to do this, from outside: the network's own server may be off as well."""
    words = ["curl", "-sS", "-m", "60", "--data-binary", script, f"http://{OUT}/cgi-bin/sh"]
    return cloud.lab.run("neighbour", words)


def reaches(cloud: Cloud, target: str) -> bool:
    return "status 0" in says(cloud, f"ping -c 2 -W 20 {target}")


def is_served(cloud: Cloud) -> bool:
    """Whether the guest is given its address, and told a name, by whichever server there is."""
    return "status 0" in says(cloud, "udhcpc -i eth0 -n -q -f -t 5 -T 3 -s /bin/true && nslookup one")


def seen_outside_as(cloud: Cloud) -> str:
    return (
        says(cloud, "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 4 203.0.113.1 80 | tail -n 1")
        .split("status")[0]
        .strip()
    )


@contextmanager
def pinged(cloud: Cloud, lost: list[int]) -> Iterator[None]:
    """`lost` gets the longest run of packets without an answer. A late answer is one: a busy machine is slow, and loses
    none.
    """
    start = f"ping -D -i {EVERY} {OUT} >/tmp/pinged 2>&1 & echo $! >/tmp/pinged.pid"
    cloud.lab.run("neighbour", ["sh", "-c", start])
    time.sleep(1)
    try:
        yield
        time.sleep(1)
    finally:
        cloud.lab.run("neighbour", ["sh", "-c", "kill $(cat /tmp/pinged.pid)"])
    said = cloud.lab.run("neighbour", ["cat", "/tmp/pinged"])
    answered = sorted({int(one) for one in re.findall(r"icmp_seq=(\d+) .*time=", said)})
    lost.append(max(later - earlier - 1 for earlier, later in itertools.pairwise(answered)))


def test_a_router_goes_on_whichever_of_its_hosts_goes(cloud: Cloud) -> None:
    """From one host to two, which the plan says disturbs; then a cut, a return, a drill, and back to one."""
    first, second = _from_one_host_to_two(cloud)
    (active,) = who_has(cloud, first, second)
    _refuses_a_guests_vote(cloud, active)
    _either_server_is_enough(cloud, first, second)
    other = second if active == first else first
    cut, back = _loses_power_and_comes_back(cloud, active, other)
    handover, swap = _is_handed_over(cloud, other, active)
    _from_two_hosts_to_one(cloud, first, second)
    print(f"lost in a row: power cut {cut}, return {back}, handover {handover}, places changed {swap}")
    assert max(back, handover, swap) < ELECTION, "it was handed over, and not waited for"


def _from_one_host_to_two(cloud: Cloud) -> tuple[str, str]:
    assert who_answers(cloud, OUT) == "one"
    cloud.text = SPEC.replace(", ha: false", "")
    plan = cloud.plan()
    assert {str(step.disturbs) for step in plan.steps if str(step.address) == EDGE and step.have} == {"network"}
    cloud.carry_out(plan)
    record = cloud.record(EDGE)
    first, second = record.host, record.leases[STANDBY]
    assert {first, second} == {"network-1", "network-2"}
    patiently(lambda: len(who_has(cloud, first, second)) == 1, within=20)
    assert cloud.plan().empty
    assert who_answers(cloud, OUT) == "one"
    assert seen_outside_as(cloud) == OUT
    assert reaches(cloud, "fd00:20::1")
    # Its networks follow, wherever it is.
    cloud.change("networks: [app]}", "networks: [app, back]}")
    assert reaches(cloud, "10.30.0.1")
    assert cloud.plan().empty
    return first, second


def _loses_power_and_comes_back(cloud: Cloud, active: str, other: str) -> list[int]:
    lost: list[int] = []
    with pinged(cloud, lost):
        cloud.lab.crash(cloud.lab.host(active))
        patiently(lambda: who_has(cloud, other) == [other], within=20)
    assert who_answers(cloud, OUT) == "one"
    assert is_served(cloud)
    assert reaches(cloud, "10.30.0.1")
    assert reaches(cloud, "fd00:20::1")
    assert seen_outside_as(cloud) == OUT
    with pinged(cloud, lost):
        cloud.lab.start([cloud.lab.host(active)])
        patiently(lambda: PAIR in inside(cloud, active, "pgrep", "-af", "keepalived"))
        time.sleep(4)
        assert who_has(cloud, active, other) == [other], "it takes nothing"
    assert cloud.plan().empty
    return lost


def _is_handed_over(cloud: Cloud, active: str, other: str) -> list[int]:
    lost: list[int] = []
    unit = f"stead-ha-{cloud.record(EDGE).leases['uuid']}.service"
    with pinged(cloud, lost):
        cloud.lab.run(active, ["systemctl", "stop", unit])
        patiently(lambda: who_has(cloud, other) == [other], within=20)
    assert [str(step.address) for step in cloud.apply().steps] == [EDGE], "a missing half is drift"
    assert cloud.plan().empty
    assert who_has(cloud, active, other) == [other]
    with pinged(cloud, lost):
        cloud.change("networks: [app, back]}", f"networks: [app, back], host: {cloud.record(EDGE).leases[STANDBY]}}}")
    assert who_has(cloud, active, other) == [other], "they have changed places, and nothing else"
    return lost


def _from_two_hosts_to_one(cloud: Cloud, *hosts: str) -> None:
    cloud.apply(SPEC)
    record = cloud.record(EDGE)
    for host in set(hosts) - {record.host}:
        assert record.leases["uuid"] not in cloud.lab.run(host, ["ip", "netns", "list"])
    units = ["systemctl", "list-units", "--all", "--no-legend", "stead-ha*"]
    assert "stead-ha" not in cloud.lab.run(record.host, units)
    assert who_answers(cloud, OUT) == "one"
    assert cloud.plan().empty


def _either_server_is_enough(cloud: Cloud, *hosts: str) -> None:
    unit = f"stead-dhcp-{cloud.record(APP).leases['uuid']}.service"
    servers = [line.split()[1] for line in says(cloud, "cat /etc/resolv.conf").splitlines() if "nameserver" in line]
    assert len(servers) > 1, "the guest knows of both"
    for host in hosts:
        cloud.lab.run(host, ["systemctl", "stop", unit])
        assert is_served(cloud)
        assert [str(step.address) for step in cloud.apply().steps] == [APP], "a missing server is drift"
    for host in hosts:
        assert cloud.lab.run(host, ["systemctl", "is-active", unit]).strip() == "active"
    assert cloud.plan().empty


def _refuses_a_guests_vote(cloud: Cloud, active: str) -> None:
    """A guest that calls itself the better router is not heard: nobody listens in its network."""
    script = (
        "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 112); "
        "s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255); "
        "s.bind(('10.20.0.1', 0)); s.sendto(bytes.fromhex('3101ff0100010000'), ('224.0.0.18', 0))"
    )
    for _ in range(3):  # as near to it as can be: from the router's own place in the tenant's network
        inside(cloud, active, "python3", "-c", script)
    time.sleep(2)
    assert who_has(cloud, active) == [active]
