"""The second host of a router: who gets one, that it stays, and what becomes of it when either host goes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from dying import NETS, Site, spec

from stead.core.address import parse
from stead.core.needs import STANDBY
from stead.core.observed import Host
from stead.core.recorded import Record
from stead.plan.planner import Wishes, make_plan

EDGE = "acme/routers/edge"
THIRD = Host(name="network-3", roles=frozenset({"network"}), underlay="192.0.2.243")


def with_ha(ha: Any, **more: Any) -> dict[str, Any]:
    found = spec(1)
    found["projects"]["acme"]["routers"]["edge"] |= {"ha": ha, **more}
    return found


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def add(site: Site, *hosts: Host) -> None:
    site.bench.hosts |= {host.name: host for host in hosts}
    site.state.know(site.bench.hosts)


def edge(site: Site) -> Record:
    address = parse(EDGE)
    assert address is not None
    return site.bench.store.recorded().resources[address]


def pair(site: Site) -> set[str]:
    return {edge(site).host, edge(site).leases[STANDBY]}


def written(site: Site, **more: Any) -> None:
    site.bench.write(with_ha(more.pop("ha", "auto"), **more))
    site.plan_and_apply()


def test_two_hosts_have_it_and_each_a_mac_of_its_own(site: Site) -> None:
    written(site)
    wants = {host: want.fields() for host, want in edge(site).wants.items()}
    assert set(wants) == set(NETS) == pair(site)
    ports = {host: one["interfaces"]["acme/networks/app"] for host, one in wants.items()}
    assert {one["mac"] for one in ports.values()} == {one["peer_mac"] for one in ports.values()}
    assert len({one["mac"] for one in ports.values()}) == 2
    assert wants["network-1"]["ha"] == wants["network-2"]["ha"]
    assert site.plan_and_apply().empty


def test_nobody_but_the_one_that_answers_may_say_its_addresses(site: Site) -> None:
    written(site)
    network = parse("acme/networks/app")
    assert network is not None
    told = site.bench.store.recorded().resources[network].wants["network-1"].fields()["forwarding"]
    port = edge(site).wants["network-1"].fields()["interfaces"]["acme/networks/app"]
    assert told[port["mac"]] == {"addresses": [], "at": "network-1"}
    assert told[port["peer_mac"]] == {"addresses": [], "at": "network-2"}


def test_a_site_with_one_network_host_has_it_as_before(site: Site) -> None:
    site.bench.hosts.pop("network-2")
    written(site)
    assert STANDBY not in edge(site).leases
    assert set(edge(site).wants) == {"network-1"}
    assert "ha" not in edge(site).wants["network-1"].fields()


def test_who_asks_for_it_is_warned_where_no_second_host_fits(site: Site) -> None:
    site.bench.hosts.pop("network-2")
    site.bench.write(with_ha(True))
    _plan, told = make_plan(site.inputs(), Wishes())
    assert [one.code for one in told] == ["STEAD-P005"]


def test_a_host_that_is_added_changes_nothing(site: Site) -> None:
    written(site)
    add(site, THIRD)
    assert site.plan_and_apply().empty


def test_what_was_on_one_host_is_told_what_a_second_disturbs(site: Site) -> None:
    written(site, ha=False)
    site.bench.write(with_ha("auto"))
    plan = site.plan_and_apply()
    (update,) = [step for step in plan.steps if str(step.address) == EDGE and step.have is not None]
    assert str(update.disturbs) == "network"
    told = [change.name for step in plan.steps for change in step.changes]
    assert "address of host edge" not in told, "a host is called by its own name"


@pytest.mark.parametrize("gone", NETS)
def test_when_one_is_dead_the_other_keeps_what_it_has(site: Site, gone: str) -> None:
    """Its MACs and its form: only who the other is has changed, which disturbs nobody."""
    written(site)
    (other,) = set(NETS) - {gone}
    before = edge(site).wants[other].fields()
    site.mark(gone, "off")
    site.evacuate(gone)
    record = edge(site)
    assert (record.host, record.leases[STANDBY]) == (other, "")
    after = record.wants[other].fields()
    assert after["interfaces"]["acme/networks/app"]["mac"] == before["interfaces"]["acme/networks/app"]["mac"]
    assert list(after["ha"]["peers"]) == [other]
    site.mark(gone, "up")
    site.state.booted()
    for _ in range(2):
        site.plan_and_apply()
    assert pair(site) == set(NETS)
    assert site.plan_and_apply().empty


def test_a_third_host_takes_the_place_of_a_dead_one(site: Site) -> None:
    add(site, THIRD)
    written(site, host="network-1")
    second = edge(site).leases[STANDBY]
    site.mark(second, "off")
    site.evacuate(second)
    assert edge(site).host == "network-1"
    assert pair(site) == {"network-1", "network-2", "network-3"} - {second}


def test_a_silent_host_holds_up_nothing_on_the_other(site: Site) -> None:
    """It may answer for the router still, and so may the other: that is what they are two for."""
    written(site)
    site.mark("network-2", "down")
    site.bench.write(with_ha("auto", routes=[{"to": "192.168.0.0/16", "via": "10.1.0.9"}]))
    plan = site.plan_and_apply()
    assert [(str(step.address), step.host) for step in plan.steps] == [(EDGE, "network-1")]


def test_two_that_change_places_stay_where_they_are(site: Site) -> None:
    written(site, host="network-1")
    site.bench.write(with_ha("auto", host="network-2"))
    plan = site.plan_and_apply()
    assert {str(step.action) for step in plan.steps} <= {"accept"}
    assert (edge(site).host, edge(site).leases[STANDBY]) == ("network-2", "network-1")
