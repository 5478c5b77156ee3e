"""Whether a packet passes, as `stead trace` says it of what was applied; and where it is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stead.cli import main

INVENTORY = """
all:
  vars: {stead_runner: simulated}
  children:
    controller: {hosts: {controller-1: {}}}
    network:
      hosts:
        network-1: {stead_physical_networks: {external: eth1}}
        network-2: {stead_physical_networks: {external: eth1}}
    compute:
      hosts: {"compute-[1:3]": {}}
      vars: {stead_vcpus: 16, stead_memory: 64GiB, stead_pools: {default: {type: dir, size: 1TiB}}}
"""

SPEC = """
stead: 1
images: {tiny: {source: /srv/tiny.qcow2}}
flavors: {small: {vcpus: 1, memory: 256MiB, disk: 1GiB}}
networks:
  public:
    type: flat
    physical: external
    external: true
    subnets:
      v4: {cidr: 203.0.113.0/24, gateway: 203.0.113.1, pool: 203.0.113.10-203.0.113.99}
      v6: {cidr: "2001:db8:ff::/64", gateway: "2001:db8:ff::1"}
projects:
  acme:
    networks:
      app:
        subnets:
          v4: {cidr: 10.20.0.0/24}
          v6: {cidr: "2001:db8:20::/64"}
      data: {mtu: 1300, subnets: {v4: {cidr: 10.30.0.0/24}}}
      lone: {subnets: {v4: {cidr: 10.40.0.0/24}}}
      nat: {subnets: {v4: {cidr: 10.50.0.0/24}}}
    routers:
      edge:
        external: public
        networks: [app, data]
        forwards: [{port: 2222, to: "web:22"}]
      behind: {uplink: host, networks: [nat], reach: [192.168.1.0/24]}
    security_groups:
      web:
        ingress: [{protocol: tcp, ports: [80, "8000-8010"]}, {protocol: icmp}, {protocol: tcp, ports: 22}]
      db: {ingress: [{protocol: tcp, ports: 5432, from: {group: web}}]}
      answers: {stateful: false, ingress: [{protocol: tcp, ports: 80}], egress: [{protocol: udp}]}
      mute: {egress: []}
      open: {ingress: [{}]}
    instances:
      web: {flavor: small, image: tiny, networks: [app], security_groups: [web]}
      other: {flavor: small, image: tiny, networks: [app], security_groups: [open]}
      db: {flavor: small, image: tiny, networks: [data], security_groups: [db]}
      stateless: {flavor: small, image: tiny, networks: [app], security_groups: [answers, db]}
      mute: {flavor: small, image: tiny, networks: [app], security_groups: [mute]}
      off: {flavor: small, image: tiny, networks: [app], security_groups: [open], state: stopped}
      away: {flavor: small, image: tiny, networks: [lone], security_groups: [open]}
      two: {flavor: small, image: tiny, networks: [data, lone], security_groups: [open]}
      bare: {flavor: small, image: tiny, networks: [{network: app, port_security: false}]}
      vip:
        flavor: small
        image: tiny
        networks: [{network: app, allowed_addresses: [10.20.0.200]}]
        security_groups: [open]
      behind: {flavor: small, image: tiny, networks: [nat], security_groups: [open]}
    load_balancers:
      front: {network: app, listeners: {web: {port: 80, members: ["web:80"]}}}
    floating_ips:
      www: {network: public, instance: other}
      shop: {network: public, load_balancer: front}
  rival:
    networks: {app: {subnets: {v4: {cidr: 10.20.0.0/24}}}}
    security_groups: {open: {ingress: [{}]}}
    instances: {spy: {flavor: small, image: tiny, networks: [app], security_groups: [open]}}
"""

PASSES = ""
CASES = [
    ("web", "other", "80", PASSES),
    ("web", "other", "icmp", PASSES),
    ("other", "web", "81", "no rule of acme/security_groups/web lets in tcp/81 from 10.20.0."),
    ("other", "web", "8005", PASSES),
    ("other", "web", "udp/80", "no rule of acme/security_groups/web lets in udp/80"),
    ("web", "db", "5432", PASSES),
    ("other", "db", "5432", "no rule of acme/security_groups/db lets in tcp/5432"),
    ("web", "db", "icmp", "no rule of acme/security_groups/db lets in icmp"),
    ("mute", "other", "80", "no rule of acme/security_groups/mute lets out tcp/80"),
    ("other", "mute", "80", "no rule of acme/security_groups/mute lets in tcp/80"),
    ("other", "stateless", "80", "the answer does not come back: no rule of acme/security_groups/answers and acme"),
    ("other", "off", "80", "acme/instances/off does not answer: it is stopped"),
    ("off", "other", "80", "acme/instances/off sends nothing: it is stopped"),
    ("other", "away", "80", "it leaves the site, as no router on its way leads to the network of acme/instances/away"),
    ("away", "other", "80", "nobody in acme/networks/lone has 10.40.0.1, which is the way to 10.20.0."),
    ("two", "away", "80", PASSES),
    ("two", "other", "80", PASSES),
    ("other", "bare", "80", PASSES),
    ("other", "10.20.0.200", "80", PASSES),
    ("other", "10.20.0.222", "80", "nobody in acme/networks/app has 10.20.0.222"),
    ("other", "10.20.0.1", "icmp", PASSES),
    ("other", "10.20.0.1", "80", "acme/routers/edge has no forward of tcp/80, and answers nothing but ping"),
    ("other", "outside", "443", PASSES),
    ("other", "acme/floating_ips/www", "80", PASSES),
    ("web", "acme/load_balancers/front", "80", PASSES),
    ("web", "acme/load_balancers/front", "81", "acme/load_balancers/front listens at tcp/80, and not at tcp/81"),
    ("acme/load_balancers/front", "web", "80", PASSES),
    ("acme/load_balancers/front", "db", "5432", "no rule of acme/security_groups/db lets in tcp/5432"),
    ("outside", "other", "80", PASSES),
    ("outside", "acme/floating_ips/shop", "80", PASSES),
    ("outside", "web", "80", "nobody outside knows the way to 10.20.0."),
    ("outside", "acme/routers/edge", "2222", PASSES),
    ("outside", "acme/routers/edge", "2223", "acme/routers/edge has no forward of tcp/2223"),
    ("203.0.113.7", "acme/routers/edge", "2222", PASSES),
    ("behind", "9.9.9.9", "udp/53", PASSES),
    ("behind", "192.168.1.9", "80", PASSES),
    (
        "behind",
        "192.168.2.9",
        "80",
        "192.168.2.9 is a private address: `reach` of acme/routers/behind does not",
    ),
    ("rival/instances/spy", "other", "80", "nobody in rival/networks/app has 10.20.0."),
]


@pytest.fixture(scope="module", autouse=True)
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("trace")
    (folder / "inventory.yml").write_text(INVENTORY)
    (folder / "stead.yml").write_text(SPEC)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(["apply", "--auto-approve", "--quiet"]) == 0
        yield folder


def named(text: str) -> str:
    return text if "/" in text or "." in text or text == "outside" else f"acme/instances/{text}"


def traced(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    capsys.readouterr()
    status = main(["trace", *words, "--json"])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert status == (0 if found["passes"] and not found["differences"] else 2)
    return found


@pytest.mark.parametrize(("source", "target", "port", "why"), CASES)
def test_what_passes_and_what_does_not(
    source: str, target: str, port: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [] if port == "icmp" else ["--port", port]
    found = traced(capsys, named(source), named(target), *words)
    assert found["passes"] == (not why), found["why"]
    assert found["why"].startswith(why)


def met(trace: dict[str, Any]) -> list[str]:
    return [hop["address"] for hop in trace["hops"] if "/networks/" not in hop["address"]]


def test_the_way_through_a_router_and_back(capsys: pytest.CaptureFixture[str]) -> None:
    found = traced(capsys, named("web"), named("db"), "--port", "5432")
    web, edge, db = "acme/instances/web", "acme/routers/edge", "acme/instances/db"
    assert (met(found["there"]), met(found["back"])) == ([web, edge, db], [db, edge, web])
    assert found["there"]["mtu"] == 1300
    assert len(found["there"]["hops"][2]["hosts"]) == 2  # a router on two hosts: either may have it


def test_addresses_are_translated_and_back(capsys: pytest.CaptureFixture[str]) -> None:
    """By a neighbour who calls it by its floating IP: the answer has to come through the router too."""
    found = traced(capsys, named("web"), "acme/floating_ips/www", "--port", "80")
    first, last = found["there"]["hops"][0], found["there"]["hops"][-1]
    assert first["target"].startswith("203.0.113.")
    assert (last["source"], last["target"][:8]) == ("10.20.0.1", "10.20.0.")
    home = found["back"]["hops"][-1]
    assert (home["source"], home["target"]) == (first["target"], first["source"])


def test_outside_sees_the_floating_ip_of_who_has_one_and_else_the_router(capsys: pytest.CaptureFixture[str]) -> None:
    seen = {
        name: traced(capsys, named(name), "outside")["there"]["hops"][-1]["source"] for name in ("web", "other", "db")
    }
    assert seen["web"] == seen["db"] != seen["other"]
    assert all(one.startswith("203.0.113.") for one in seen.values())


def test_ipv6_is_not_hidden(capsys: pytest.CaptureFixture[str]) -> None:
    found = traced(capsys, named("other"), "outside", "--ipv6")
    assert found["passes"]
    assert found["there"]["hops"][-1]["source"].startswith("2001:db8:20:")


def test_a_plan_is_traced_before_it_is_applied(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = site / "stead.yml"
    text = spec.read_text()
    spec.write_text(text.replace("{protocol: icmp}", "{protocol: icmp}, {protocol: tcp, ports: 81}"))
    try:
        now, then = (
            traced(capsys, named("other"), named("web"), "--port", "81", *more) for more in ((), ("--planned",))
        )
    finally:
        spec.write_text(text)
    assert (now["passes"], then["passes"]) == (False, True)


def test_hosts_tell_what_is_otherwise_on_the_way(capsys: pytest.CaptureFixture[str]) -> None:
    words = (named("web"), named("db"), "--port", "5432", "--live")
    assert traced(capsys, *words)["differences"] == []
    assert main(["simulate", "drift", "acme/instances/db", "state=stopped"]) == 0
    assert main(["simulate", "drift", "acme/instances/away", "state=stopped"]) == 0  # not on the way
    (one,) = traced(capsys, *words)["differences"]
    assert (one["address"], one["what"]) == ("acme/instances/db", "state")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("acme/instances/nobody", "outside"), "STEAD-S"),
        (("acme/networks/app", "outside"), "STEAD-C130"),
        (("acme/routers/edge", "outside"), "STEAD-C130"),
        (("10.0.0.1", "2001:db8::1"), "STEAD-C130"),
        (("outside", "acme/instances/web", "--port", "tcp/0"), "STEAD-C002"),
        (("outside", "acme/instances/web", "--port", "gre/1"), "STEAD-C002"),
        (("outside", "acme/instances/web", "--live", "--planned"), "STEAD-C002"),
    ],
)
def test_wrong_ends_are_named(words: tuple[str, ...], code: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        status = main(["trace", *words])
    except SystemExit as left:  # a command line that is wrong ends at once
        status = int(str(left.code))
    assert status == 1
    assert code in capsys.readouterr().err
