"""Routers behind the address of their host: guests get out by it and are reached at its ports, and get nowhere else.

The neighbour, 203.0.113.1, is a server outside. The host of all roles has an address there, as a rented server has.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from beginnings import SMALL
from networking import Cloud, workspace
from waiting import patiently

from stead.lab.site import Lab
from stead.lab.sizes import parse

pytestmark = [pytest.mark.lab, pytest.mark.long]

HOSTS = {
    "hosts": {
        "own": {"count": 1, "roles": ["compute", "network"], "cpus": 8},
        "other": {"count": 1, "roles": ["compute"]},
    },
    "physical": {"external": {"hosts": ["own"], "cidr": "203.0.113.0/24", "cidr6": "2001:db8:113::/64"}},
}
OUTSIDE, OWN, PRIVATE = "203.0.113.1", "203.0.113.40", "192.168.55.1"
SPEC = (
    SMALL
    + """projects:
  acme:
    networks:
      app: {subnets: {v4: {cidr: 10.20.0.0/24}}}
    routers:
      edge: {uplink: host, networks: [app], forwards: [{port: 8080, to: "one:80"}]}
    security_groups:
      open: {ingress: [{protocol: any}]}
    instances:
      one: {flavor: small, image: tiny, networks: [{network: app, address: 10.20.0.11}], host: own-1,
            security_groups: [open], stop_timeout: 5s, cloud_init: {user_data: OBEYS}}
  umbrella:
    networks:
      app: {subnets: {v4: {cidr: 10.20.0.0/24}}}
    routers:
      edge: {uplink: host, networks: [app], forwards: [{port: 8081, to: "two:80"}]}
    security_groups:
      open: {ingress: [{protocol: any}]}
    instances:
      two: {flavor: small, image: tiny, networks: [{network: app, address: 10.20.0.11}], host: own-1,
            security_groups: [open], stop_timeout: 5s, cloud_init: {user_data: OBEYS}}
"""
)
HOST, ONE, TWO = "own-1", "acme/instances/one", "umbrella/instances/two"
EDGE = 'edge: {uplink: host, networks: [app], forwards: [{port: 8080, to: "one:80"}]}'


@pytest.fixture(scope="module")
def ready(make_lab: Callable[..., Lab], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    found = workspace(make_lab("u", parse(HOSTS, "test")), tmp_path_factory.mktemp("uplinks"))
    on(found, f"ip address add {OWN}/24 dev {device(found)}; ip route add 192.168.55.0/24 via {OUTSIDE}")
    found.lab.run("neighbour", ["ip", "address", "add", f"{PRIVATE}/32", "dev", "lo"])
    found.apply(SPEC)
    found.obeys(ONE, TWO)
    yield found
    found.store.close()


@pytest.fixture
def cloud(ready: Cloud) -> Iterator[Cloud]:
    yield ready
    ready.apply(SPEC)


def on(cloud: Cloud, command: str, host: str = HOST) -> str:
    return cloud.lab.run(host, ["sh", "-c", command])


def device(cloud: Cloud) -> str:
    return cloud.lab.link(cloud.lab.host(HOST), "external").device


def comes_from(cloud: Cloud, who: str, target: str = OUTSIDE, port: int = 80) -> str:
    """The address that a server sees."""
    script = f"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 4 {target} {port} | tail -n 1"
    text = cloud.sh(who, script).text.strip()
    return "" if text.startswith("nc:") else text


def answers(cloud: Cloud, port: int, host: str = OWN) -> str:
    """To the world outside: which guest, and whom it sees."""
    words = ["curl", "-sS", "--connect-timeout", "4", "-m", "30", f"http://{host}:{port}/cgi-bin/index.cgi"]
    found = json.loads(cloud.lab.run("neighbour", words))
    return f"{found['hostname']} sees {found['client'].removeprefix('[::ffff:').rstrip(']')}"


def connects(cloud: Cloud, who: str, target: str, port: int) -> bool:
    return cloud.sh(who, f"nc -w 3 {target} {port} </dev/null").status == 0


def test_guests_of_two_projects_get_out_behind_their_host_and_are_reached_at_its_ports(cloud: Cloud) -> None:
    """Both have the same address."""
    assert comes_from(cloud, ONE) == OWN
    assert comes_from(cloud, TWO) == OWN
    assert answers(cloud, 8080) == f"one sees {OUTSIDE}"
    assert answers(cloud, 8081) == f"two sees {OUTSIDE}"
    mine = f"curl -sS -m 9 http://{OWN}:8080/cgi-bin/index.cgi"
    assert '"one"' in on(cloud, mine), "the host itself"
    assert '"one"' in cloud.sh(TWO, f"wget -qO- http://{OWN}:8080/cgi-bin/index.cgi").text, "another project"
    assert '"one"' in cloud.sh(ONE, f"wget -qO- http://{OWN}:8080/cgi-bin/index.cgi").text, "the guest itself"
    assert cloud.plan().empty


def test_a_guest_reaches_neither_its_host_nor_other_hosts_nor_what_is_private(cloud: Cloud) -> None:
    """A tenant who lies is hidden behind the host's address, which the others trust."""
    underlay = {host.name: host.address for host in cloud.lab.hosts}
    assert connects_from_host(cloud, underlay["other-1"], 22), "it is the guest that is kept out"
    for target, port in (
        (OWN, 22),
        ("169.254.64.1", 22),
        (underlay[HOST], 22),
        (underlay["other-1"], 22),
        (PRIVATE, 80),
        ("169.254.64.6", 80),
    ):
        assert not connects(cloud, ONE, target, port), (target, port)
        assert cloud.no_ping(ONE, target), target
    assert connects(cloud, ONE, OUTSIDE, 80)


def connects_from_host(cloud: Cloud, target: str, port: int) -> bool:
    return "open" in on(cloud, f"timeout 3 bash -c '</dev/tcp/{target}/{port}' && echo open || true")


def test_what_the_site_opens_is_reached_and_hosts_are_not(cloud: Cloud) -> None:
    underlay = next(host.address for host in cloud.lab.hosts if host.name == "other-1")
    cloud.apply(SPEC.replace(EDGE, EDGE.replace("{uplink", f"{{reach: [192.168.55.0/24, {underlay}/32], uplink")))
    assert comes_from(cloud, ONE, PRIVATE) == OWN
    assert comes_from(cloud, TWO, PRIVATE) == ""
    assert not connects(cloud, ONE, underlay, 22)


def test_neighbours_of_the_host_get_nothing_through_it(cloud: Cloud) -> None:
    """Its kernel forwards now: neither to the underlay, nor to a router without a forward."""
    underlay = next(host.address for host in cloud.lab.hosts if host.name == "other-1")
    assert on(cloud, "cat /proc/sys/net/ipv4/ip_forward").strip() == "1"
    for target in (underlay, "169.254.64.2", "10.20.0.11"):
        cloud.lab.run("neighbour", ["ip", "route", "replace", f"{target}/32", "via", OWN])
        try:
            script = f"ping -c 1 -W 2 {target} || curl -s -m 2 http://{target}:8080/ || curl -s -m 2 http://{target}/"
            said = cloud.lab.run("neighbour", ["sh", "-c", f"({script}) >/dev/null 2>&1 && echo open || echo shut"])
            assert said.strip() == "shut", target
        finally:
            cloud.lab.run("neighbour", ["ip", "route", "delete", f"{target}/32"])


def test_a_port_that_the_host_uses_is_not_taken(cloud: Cloud) -> None:
    start = "systemd-run --unit=mine --collect python3 -m http.server 9000"
    on(cloud, f"{start}; until ss -Hlnt | grep -q :9000; do sleep 0.1; done")
    try:
        cloud.text = SPEC.replace("port: 8081", "port: 9000")
        with pytest.raises(AssertionError, match="tcp port 9000 of own-1 is in use there"):
            cloud.apply()
    finally:
        on(cloud, "systemctl stop mine")
    assert answers(cloud, 8080) == f"one sees {OUTSIDE}"


def test_a_forward_that_is_gone_ends_and_another_disturbs_nobody(cloud: Cloud) -> None:
    plan = cloud.change('to: "two:80"}', 'to: "two:80"}, {port: 8082, to: "two:80"}')
    assert [step.disturbs.name for step in plan.steps] == ["NONE"]
    assert answers(cloud, 8082) == f"two sees {OUTSIDE}"
    cloud.apply(SPEC)
    with pytest.raises(Exception, match="curl"):
        answers(cloud, 8082)


def test_somebody_who_empties_the_hosts_tables_is_drift_and_a_reload_brings_them_back(cloud: Cloud) -> None:
    on(cloud, "nft delete table inet stead_uplinks")
    assert {str(step.address) for step in cloud.plan().steps} == {"acme/routers/edge", "umbrella/routers/edge"}
    cloud.apply()
    assert comes_from(cloud, ONE) == OWN
    on(cloud, "systemctl restart nftables stead-firewall && systemctl reload nftables")
    assert patiently(lambda: comes_from(cloud, ONE)) == OWN
    assert not connects(cloud, ONE, OWN, 22)
    assert cloud.plan().empty


def test_it_comes_back_after_a_reboot(cloud: Cloud) -> None:
    cloud.lab.reboot([cloud.lab.host(HOST)])
    on(cloud, f"ip address add {OWN}/24 dev {device(cloud)}; ip route add 192.168.55.0/24 via {OUTSIDE}")
    cloud.obeys(ONE, TWO)
    assert patiently(lambda: answers(cloud, 8080)) == f"one sees {OUTSIDE}"
    assert comes_from(cloud, ONE) == OWN
    assert not connects(cloud, ONE, OWN, 22)
    assert cloud.plan().empty


def test_with_the_last_router_all_of_it_is_gone(cloud: Cloud) -> None:
    cloud.apply(
        SPEC.replace("uplink: host, ", "")
        .replace('forwards: [{port: 8080, to: "one:80"}]', "")
        .replace('forwards: [{port: 8081, to: "two:80"}]', "")
    )
    assert "stead_uplinks" not in on(cloud, "nft list tables")
    assert on(cloud, "cat /proc/sys/net/ipv4/ip_forward").strip() == "0"
    assert not [line for line in on(cloud, "ip -brief link").splitlines() if line.startswith("su")]
    assert comes_from(cloud, ONE) == ""
    assert cloud.plan().empty
