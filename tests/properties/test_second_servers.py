"""The second DHCP and DNS server of a network: where it is, what guests are told, and what becomes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from dying import NETS, Site, spec

from stead.core.address import parse
from stead.core.needs import STANDBY
from stead.core.recorded import Record
from stead.plan.planner import Wishes, make_plan

APP, GUEST = "acme/networks/app", "acme/instances/g0"
FIRST = "10.1.0.254"


def with_ha(ha: Any, guests: int = 1, **subnet: Any) -> dict[str, Any]:
    found = spec(guests)
    found["projects"]["acme"]["networks"]["app"] |= {"ha": ha}
    found["projects"]["acme"]["networks"]["app"]["subnets"]["v4"] |= subnet
    return found


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def record(site: Site, name: str = APP) -> Record:
    address = parse(name)
    assert address is not None
    return site.bench.store.recorded().resources[address]


def services(site: Site) -> dict[str, dict[str, Any]]:
    found = {host: want.fields().get("service") for host, want in record(site).wants.items()}
    return {host: one for host, one in found.items() if one}


def told_to_guests(site: Site) -> list[str]:
    (want,) = record(site, GUEST).wants.values()
    (nic,) = want.fields()["nics"].values()
    servers: list[str] = nic["subnets"][0]["dns"]
    return servers


def test_two_hosts_serve_the_same_at_addresses_of_their_own(site: Site) -> None:
    site.bench.write(with_ha("auto"))
    site.plan_and_apply()
    found = services(site)
    assert set(found) == set(NETS) == {record(site).host, record(site).leases[STANDBY]}
    one, other = (found[host] for host in (record(site).host, record(site).leases[STANDBY]))
    own = ("addresses", "mac")
    assert {key: one[key] for key in one if key not in own} == {key: other[key] for key in other if key not in own}
    assert one["addresses"] == [f"{FIRST}/24"]
    second = other["addresses"][0].removesuffix("/24")
    assert second not in (FIRST, "10.1.0.1")
    assert one["mac"] != other["mac"]
    assert told_to_guests(site) == [FIRST, second]
    told = record(site).wants[record(site).host].fields()["forwarding"]
    assert told[other["mac"]] == {"addresses": [second], "at": record(site).leases[STANDBY]}
    assert site.plan_and_apply().empty


def test_a_site_with_one_network_host_has_one(site: Site) -> None:
    site.bench.hosts.pop("network-2")
    site.bench.write(with_ha("auto"))
    site.plan_and_apply()
    assert set(services(site)) == {"network-1"}
    assert told_to_guests(site) == [FIRST]
    site.bench.write(with_ha(True))
    _plan, told = make_plan(site.inputs(), Wishes())
    assert [one.code for one in told] == ["STEAD-P005"]


def test_a_second_one_disturbs_nobody_and_takes_no_address_that_somebody_has(site: Site) -> None:
    site.bench.write(with_ha(False))
    site.plan_and_apply()
    before = record(site, GUEST).leases
    site.bench.write(with_ha("auto"))
    plan = site.plan_and_apply()
    assert {str(step.disturbs) for step in plan.steps if str(step.address) in (APP, GUEST)} == {"none"}
    assert record(site, GUEST).leases == before
    assert len(services(site)) == 2


def test_a_full_subnet_goes_on_with_one(site: Site) -> None:
    full = {"pool": "10.1.0.10-10.1.0.12"}
    site.bench.write(with_ha("auto", 2, **full))
    site.plan_and_apply()
    assert len(services(site)) == 1
    assert told_to_guests(site) == ["10.1.0.12"]
    site.bench.write(with_ha(True, 2, **full))
    _plan, told = make_plan(site.inputs(), Wishes())
    assert [one.code for one in told] == ["STEAD-R021"], "who asks for it is told"


@pytest.mark.parametrize("gone", NETS)
def test_when_one_host_is_dead_the_other_answers_at_both_addresses(site: Site, gone: str) -> None:
    """Guests ask both, and what they were told stays."""
    site.bench.write(with_ha("auto"))
    site.plan_and_apply()
    told = told_to_guests(site)
    (other,) = set(NETS) - {gone}
    site.mark(gone, "off")
    site.evacuate(gone)
    assert (record(site).host, record(site).leases[STANDBY]) == (other, "")
    assert services(site)[other]["addresses"] == [f"{one}/24" for one in told]
    assert told_to_guests(site) == told
    site.mark(gone, "up")
    site.state.booted()
    for _ in range(2):
        site.plan_and_apply()
    assert set(services(site)) == set(NETS)
    assert told_to_guests(site) == told
    assert site.plan_and_apply().empty


def test_who_pins_the_address_of_the_second_gets_it(site: Site) -> None:
    site.bench.write(with_ha("auto"))
    site.plan_and_apply()
    second = told_to_guests(site)[1]
    found = with_ha("auto", 2)
    found["projects"]["acme"]["instances"]["g1"]["networks"] = [{"network": "app", "address": second}]
    site.bench.write(found)
    site.plan_and_apply()
    assert second in record(site, "acme/instances/g1").leases.values()
    assert told_to_guests(site)[1] not in (second, FIRST)
    assert site.plan_and_apply().empty
