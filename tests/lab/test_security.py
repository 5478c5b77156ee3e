"""Security groups between guests on two hosts: what they let through, and what a change does to what is open."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import hostile_frames
import pytest
from beginnings import SMALL
from networking import Cloud, StandIn, bridge_of, workspace
from waiting import patiently

from stead.lab.site import Lab
from stead.lab.sizes import parse

pytestmark = pytest.mark.lab

HOSTS = {"hosts": {"compute": {"count": 2, "cpus": 8}, "network": {"count": 1}}}
# Every guest is in `base`, by which the tests reach it; what it is tried for is in the others.
SPEC = (
    SMALL
    + """projects:
  acme:
    networks:
      app: {subnets: {v4: {cidr: 10.20.0.0/24, dhcp_address: 10.20.0.2}, v6: {cidr: "fd00:20::/64"}}}
    security_groups:
      base:
        ingress: [{protocol: tcp, ports: 80, from: 10.20.0.2/32}]
        egress: [{protocol: tcp}, {protocol: udp, ports: 53}]
      tried: {ingress: [], egress: []}
      pingers: {ingress: [], egress: [{protocol: icmp}, {protocol: icmpv6}, {protocol: udp}]}
    instances:
      near: {flavor: small, image: tiny, host: compute-1, networks: [{network: app, address: 10.20.0.11}],
             security_groups: [base, tried], stop_timeout: 5s, cloud_init: {user_data: OBEYS}}
      far: {flavor: small, image: tiny, host: compute-2, networks: [{network: app, address: 10.20.0.12}],
            security_groups: [base, pingers], stop_timeout: 5s, cloud_init: {user_data: OBEYS}}
      beside: {flavor: small, image: tiny, host: compute-1, networks: [{network: app, address: 10.20.0.13}],
               security_groups: [base, pingers], stop_timeout: 5s, cloud_init: {user_data: OBEYS}}
  evil:
    networks:
      app: {subnets: {v4: {cidr: 10.20.0.0/24, dhcp_address: 10.20.0.2}, v6: {cidr: "fd00:20::/64"}}}
    instances:
      mallory: {flavor: small, image: tiny, host: compute-1, networks: [{network: app, address: 10.20.0.66}],
                state: stopped}
"""
)
TRIED = "tried: {ingress: [], egress: []}"
MALLORY = "evil/instances/mallory"
NEAR, FAR, BESIDE = "acme/instances/near", "acme/instances/far", "acme/instances/beside"
LISTENS = "(for port in 7999 8000 8005 8010 8011; do nc -ll -p $port -e echo hello & done) >/dev/null 2>&1"


@pytest.fixture(scope="module")
def ready(make_lab: Callable[..., Lab], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    found = workspace(make_lab("s", parse(HOSTS, "test")), tmp_path_factory.mktemp("security"))
    found.traces = True
    found.apply(SPEC)
    found.obeys(NEAR, FAR, BESIDE)
    for who in (NEAR, FAR):
        found.sh(who, LISTENS)
    yield found
    found.store.close()


@pytest.fixture
def cloud(ready: Cloud) -> Iterator[Cloud]:
    yield ready
    ready.apply(SPEC)


def opens(cloud: Cloud, who: str, address: str, port: int) -> bool:
    found = cloud.sh(who, f"nc -w 20 {address} {port} </dev/null").text == "hello\n"
    return cloud.as_traced(found, who, address, port)


def shut(cloud: Cloud, who: str, address: str, port: int) -> bool:
    found = cloud.sh(who, f"nc -w 2 {address} {port} </dev/null").text != "hello\n"
    return not cloud.as_traced(not found, who, address, port)


def test_nothing_comes_in_unasked(cloud: Cloud) -> None:
    for who in (FAR, BESIDE):
        assert cloud.no_ping(who, "10.20.0.11")
        assert cloud.no_ping(who, cloud.address(NEAR, 6))
        assert shut(cloud, who, "10.20.0.11", 8000)


def test_a_change_reaches_running_guests_and_no_step_touches_them(cloud: Cloud) -> None:
    """Port ranges: both ends are in, what is beside them is not."""
    plan = cloud.change(TRIED, "tried: {ingress: [{protocol: tcp, ports: 8000-8010}], egress: []}")
    assert {(str(step.address), step.host) for step in plan.steps} == {("acme/security_groups/tried", "compute-1")}
    for who in (FAR, BESIDE):
        assert [opens(cloud, who, "10.20.0.11", port) for port in (8000, 8005, 8010)] == [True] * 3
        assert [shut(cloud, who, "10.20.0.11", port) for port in (7999, 8011)] == [True] * 2


def test_icmp_types_are_told_apart(cloud: Cloud) -> None:
    """Echo is let in and its answers go out by themselves; a type that is not said stays outside."""
    cloud.change(TRIED, "tried: {ingress: [{protocol: icmp, type: 8}, {protocol: icmpv6, type: 128}], egress: []}")
    for who in (FAR, BESIDE):
        assert cloud.ping(who, "10.20.0.11")
        assert cloud.ping(who, cloud.address(NEAR, 6))
    cloud.apply(SPEC.replace(TRIED, "tried: {ingress: [{protocol: icmp, type: 13}], egress: []}"))
    assert cloud.no_ping(FAR, "10.20.0.11")


def test_a_group_stands_for_its_members_wherever_they_are(cloud: Cloud) -> None:
    """On both hosts, by both families; and a member that leaves is out."""
    cloud.change(TRIED, "tried: {ingress: [{protocol: any, from: {group: pingers}}], egress: []}")
    for who in (FAR, BESIDE):
        assert cloud.ping(who, "10.20.0.11")
        assert cloud.ping(who, cloud.address(NEAR, 6))
    text = cloud.text
    position = text.index("beside:")
    plan = cloud.apply(text[:position] + text[position:].replace("[base, pingers]", "[base]"))
    assert "reboot" not in {str(step.action) for step in plan.steps}
    assert shut(cloud, BESIDE, "10.20.0.11", 8000)
    assert opens(cloud, FAR, "10.20.0.11", 8000)


def test_what_may_go_out_is_what_is_said(cloud: Cloud) -> None:
    cloud.apply(SPEC.replace("pingers: {ingress: []", "pingers: {ingress: [{protocol: any}]"))
    assert cloud.no_ping(NEAR, "10.20.0.12")
    assert opens(cloud, NEAR, "10.20.0.12", 8005), "base lets tcp out"
    cloud.apply(
        SPEC.replace("pingers: {ingress: []", "pingers: {ingress: [{protocol: any}]").replace(
            TRIED, "tried: {ingress: [], egress: [{protocol: icmp, to: 10.20.0.12/32}]}"
        )
    )
    assert cloud.ping(NEAR, "10.20.0.12")
    assert cloud.no_ping(NEAR, "10.20.0.13")


def test_what_is_open_outlives_a_change_that_allows_it_still(cloud: Cloud) -> None:
    """A connection that both sets of rules allow goes on; one that is no longer allowed ends."""
    both = "tried: {ingress: [{protocol: tcp, ports: 9000}], egress: []}"
    cloud.change(TRIED, both)
    listening = "until netstat -ltn | grep -q :9000; do sleep 1; done"
    cloud.sh(NEAR, f"(sleep 600 | nc -l -p 9000 >/tmp/heard) >/dev/null 2>&1 </dev/null & {listening}")
    cloud.sh(
        FAR,
        "(n=0; while [ $n -lt 600 ]; do echo $n; n=$((n + 1)); sleep 0.2; done | nc 10.20.0.11 9000) "
        ">/dev/null 2>&1 & true",
    )

    def heard() -> int:
        return int(cloud.sh(NEAR, "sleep 2; tail -n 1 /tmp/heard").text or "0")

    first = patiently(heard)
    cloud.change(both, "tried: {ingress: [{protocol: tcp, ports: [9000, 9001]}, {protocol: icmp}], egress: []}")
    patiently(lambda: heard() >= first + 5)
    assert cloud.ping(FAR, "10.20.0.11")
    cloud.apply(SPEC)
    cut = heard()
    assert heard() == cut
    cloud.sh(NEAR, "killall nc; " + LISTENS)
    cloud.sh(FAR, "killall nc; " + LISTENS)


def test_without_state_answers_have_to_be_allowed_too(cloud: Cloud) -> None:
    """What the stateful `base` lets out is what a guest begins, so it is no help."""
    start = "tried: {stateful: false, ingress: [{protocol: tcp, ports: 8000}], egress: "
    cloud.change(TRIED, start + "[]}")
    assert shut(cloud, FAR, "10.20.0.11", 8000)
    cloud.apply(SPEC.replace(TRIED, start + "[{protocol: tcp}]}"))
    assert opens(cloud, FAR, "10.20.0.11", 8000)


def test_the_default_group_is_open_among_its_members_and_closed_to_others(cloud: Cloud) -> None:
    """As in Neutron. It is there without being written, and is that of whoever names none."""
    text = SPEC
    for name in ("near", "far"):
        position = text.index(f"{name}: {{flavor")
        groups = "security_groups: [base, tried]" if name == "near" else "security_groups: [base, pingers]"
        text = text[:position] + text[position:].replace(groups, "security_groups: [base, default]", 1)
    cloud.apply(text.replace("tried: {", "default: {description: as it is}\n      tried: {"))
    assert cloud.ping(NEAR, "10.20.0.12")
    assert cloud.ping(FAR, "10.20.0.11")
    assert cloud.no_ping(BESIDE, "10.20.0.11")


# What hosts serve each other, and some that they may serve besides.
PORTS = [22, 111, 2049, 3260, 4789, 5900, 6081, 7480, 16509, 16514, 20048, 49152]


def test_of_a_hostile_guest_nothing_gets_across(cloud: Cloud) -> None:
    """Into another tenant's network on the same host and on another, onto the underlay; and no host answers."""
    hosts = {host.name: host.address for host in cloud.lab.hosts}
    bridge = bridge_of(cloud.record("evil/networks/app"))
    links = json.loads(cloud.lab.run("compute-1", ["ip", "-json", "link"]))
    macs = [one["address"] for one in links if one["ifname"] in (bridge, "eth0")]
    told: dict[str, Any] = {"near": cloud.mac(NEAR), "far": cloud.mac(FAR), "macs": macs, "ports": PORTS}
    told |= {"hosts": list(hosts.values()), "vni": int(cloud.record("acme/networks/app").leases["vni"])}
    heard: dict[str, list[str]] = {}
    sent: list[int] = []
    with StandIn(cloud, MALLORY) as mallory:
        told |= {"own": mallory.mac, "local": mallory.link_local}
        script = Path(hostile_frames.__file__).read_text()

        def act() -> None:
            sent.append(int(mallory.python(f"{script}\nprint(send({told!r}))")))

        def with_ear(name: str, listen: Callable[[Callable[[], None]], list[str]], act: Callable[[], None]) -> None:
            heard[name] = listen(act)

        claimed = f"(udp src port 67 or ip6[40] == 134) and (ether src {told['near']} or ether src {told['far']})"
        theirs = f"ether src {mallory.mac} or port 6666 or udp port 4789 or arp host 10.20.0.66 or {claimed}"
        outside = "net 10.20.0.0/24 or host 8.8.8.8 or port 6666"  # outside of tunnels
        answers = f"ether dst {mallory.mac} and ip"
        ears: dict[str, Callable[[Callable[[], None]], list[str]]] = {
            **{name: partial(cloud.heard, name, (), "eth0", outside) for name in hosts},
            **{who: partial(cloud.heard_by, who, theirs) for who in (NEAR, FAR, BESIDE)},
            "answers": partial(cloud.heard, mallory.host, ("ip", "netns", "exec", "standin"), "eth0", answers),
        }
        for name, listen in ears.items():
            act = partial(with_ear, name, listen, act)
        truth = cloud.heard_by_server("evil/networks/app", f"ether src {mallory.mac}", act)
    assert sent[0] > 3_000
    assert {name: (len(lines), lines[:3]) for name, lines in heard.items() if lines} == {}
    assert len(heard) == len(ears)
    assert [line for line in truth if "Reply 10.20.0.66 is-at" in line], truth[-9:]
