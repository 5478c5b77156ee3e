"""What was forgotten goes on: nobody else gets what it has, and what it stands on is not pulled from under it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "properties"))

from sites import KEY, desired, hosts, planned

from stead.blueprint.dry_run import applied
from stead.blueprint.model import Settled
from stead.core.address import Address, parse
from stead.core.observed import Observed
from stead.core.recorded import Recorded
from stead.core.value import replace
from stead.kinds import kinds
from stead.plan.planner import Inputs, Planned, make_plan

OUTSIDE = {
    "outside": {"type": "vxlan", "external": True, "shared": True, "subnets": {"v4": {"cidr": "203.0.113.0/24"}}}
}
FLAVOR = {"vcpus": 1, "memory": "1GiB", "disk": "10GiB"}
BEFORE: dict[str, Any] = {
    "networks": {"app": {"subnets": {"v4": {"cidr": "10.20.0.0/24"}}}},
    "routers": {"edge": {"external": "outside", "networks": ["app"]}},
    "instances": {"web": {"flavor": FLAVOR, "image": "debian", "networks": ["app"]}},
    "floating_ips": {"www": {"network": "outside", "instance": "web"}},
    "volumes": {"data": {"size": "900GiB", "from": {"image": "debian"}, "host": "compute-1"}},
    "snapshots": {"monday": {"volume": "data"}},
}


def spec(project: dict[str, Any], *forget: str) -> dict[str, Any]:
    found = {
        "stead": 1,
        "networks": OUTSIDE,
        "images": {"debian": {"source": "/d.qcow2"}},
        "projects": {"acme": project},
    }
    return {**found, "forget": list(forget)} if forget else found


def without(*kinds: str, **more: Any) -> dict[str, Any]:
    return {**{kind: ones for kind, ones in BEFORE.items() if kind not in kinds}, **more}


def first() -> tuple[Recorded, Observed, dict[str, Settled]]:
    empty, site = Recorded(site="a-site"), Observed(hosts=hosts([16, 16, 16]), digest="observed")
    made = planned(desired(spec(BEFORE)), empty, site)
    assert made.blueprint is not None
    had = {str(address): one for address, one in made.blueprint.resources.items()}
    return (*applied(made.blueprint, empty, site), had)


def after(project: dict[str, Any], *forgotten: str) -> tuple[Planned, Planned, dict[str, Settled]]:
    """When it is forgotten, and when no record of it is left; and what there was."""
    recorded, observed, had = first()
    gone = {one for text in forgotten if (one := parse(text)) is not None}
    less = {address: record for address, record in recorded.resources.items() if address not in gone}
    now = planned(desired(spec(project, *forgotten)), recorded, observed)
    return now, planned(desired(spec(project)), replace(recorded, resources=less), observed), had


def leases(one: Settled) -> set[str]:
    return {lease for key, lease in one.leases.items() if key != "identity"}


def chosen(result: Planned, *address: str) -> set[str]:
    assert result.blueprint is not None
    return leases(result.blueprint.resources[Address("acme", *address)])


EVERYTHING = [f"acme/{kind}/{name}" for kind, ones in BEFORE.items() for name in ones]


def test_nobody_gets_the_number_of_a_forgotten_network() -> None:
    now, later, had = after({"networks": {"other": {"subnets": {"v4": {"cidr": "10.20.0.0/24"}}}}}, *EVERYTHING)
    for result in (now, later):
        assert not chosen(result, "networks", "other") & leases(had["acme/networks/app"])


def test_nobody_gets_the_address_of_a_forgotten_router_or_floating_ip() -> None:
    new = {"new": {"subnets": {"v4": {"cidr": "10.30.0.0/24"}}}}
    now, later, had = after(
        {"networks": new, "routers": {"other": {"external": "outside", "networks": ["new"]}}}, *EVERYTHING
    )
    for result in (now, later):
        other = chosen(result, "routers", "other")
        assert not other & leases(had["acme/routers/edge"])
        assert not other & leases(had["acme/floating_ips/www"])


@pytest.mark.parametrize(
    ("project", "forgotten", "stays"),
    [
        (without("routers", "networks", "floating_ips", "instances"), "acme/routers/edge", "acme/networks/app"),
        (without("routers", "floating_ips"), "acme/floating_ips/www", "acme/routers/edge"),
        (without("snapshots", "volumes"), "acme/snapshots/monday", "acme/volumes/data"),
        (without("volumes", "snapshots", "instances", "floating_ips"), "acme/volumes/data", "images/debian"),
    ],
)
def test_what_it_stands_on_stays(project: dict[str, Any], forgotten: str, stays: str) -> None:
    for result in after(project, forgotten)[:2]:
        assert result.plan is not None
        touched = {str(step.address) for step in result.plan.steps if step.host in ("compute-1", "network-1")}
        assert stays not in touched, result.plan.steps


def test_the_room_of_a_forgotten_volume_is_not_sold_again() -> None:
    recorded, observed, had = first()
    project = without("volumes", "snapshots", volumes={"late": BEFORE["volumes"]["data"]})
    forgotten = ["acme/volumes/data", "acme/snapshots/monday"]
    assert had["acme/volumes/data"].host == "compute-1"
    asked = Inputs(
        desired=desired(spec(project, *forgotten)), recorded=recorded, observed=observed, kinds=kinds(), key=KEY
    )
    result, found = make_plan(asked)
    assert result.plan is None
    assert {one.code for one in found} == {"STEAD-P001"}, found
