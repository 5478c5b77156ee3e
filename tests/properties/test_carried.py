"""Volumes of hosts, and stopped instances that use them, go where the spec says, and nothing of them is ever lost."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sites import desired, hosts, planned

from stead.blueprint.dry_run import applied
from stead.core.address import Address
from stead.core.effect import Action, Disruption
from stead.core.observed import Observed
from stead.core.recorded import Recorded

RANDOM = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SITE = [32, 48, 32, 64]
PLACES = st.sampled_from(sorted(name for name in hosts(SITE) if name.startswith("compute")))
MOMENT = st.fixed_dictionaries({"data": PLACES, "loose": PLACES, "grown": st.integers(0, 1)})


def spec(moment: dict[str, Any], size: int) -> dict[str, Any]:
    """`db` uses `data`, and both are on one host, which either of them names."""
    volumes = {
        "data": {"size": "1GiB", "host": moment["data"]},
        "loose": {"size": f"{size}GiB", "host": moment["loose"]},
    }
    db = {
        "image": "debian",
        "flavor": {"vcpus": 1, "memory": "1GiB", "disk": "10GiB"},
        "networks": ["app"],
        "volumes": ["data"],
        "state": "stopped",
    }
    project = {"networks": {"app": {"subnets": {"v4": {"cidr": "10.20.0.0/24"}}}}, "volumes": volumes}
    return {
        "stead": 1,
        "images": {"debian": {"source": "/d.qcow2"}},
        "projects": {"acme": {**project, "instances": {"db": db}}},
    }


@RANDOM
@given(st.lists(MOMENT, min_size=2, max_size=5))
def test_what_is_carried_is_never_lost_and_stays_what_it_is(moments: list[dict[str, Any]]) -> None:
    recorded, observed = Recorded(site="a-site"), Observed(hosts=hosts(SITE), digest="observed")
    uuids: dict[Address, str] = {}
    size = 1
    for moment in moments:
        size += moment["grown"]
        wanted = desired(spec(moment, size))
        made = planned(wanted, recorded, observed)
        assert made.plan is not None
        assert made.blueprint is not None
        for step in made.plan.steps:
            assert step.disturbs.rank <= Disruption.MIGRATE.rank, step
            if step.action is Action.MIGRATE and step.address.kind == "instances":
                assert any(made.plan.steps[one].address.kind == "volumes" for one in step.after), "its volume first"
        recorded, observed = applied(made.blueprint, recorded, observed)
        for address, record in recorded.resources.items():
            if address.kind in ("volumes", "instances"):
                assert uuids.setdefault(address, record.leases["uuid"]) == record.leases["uuid"]
        again = planned(wanted, recorded, observed).plan
        assert again is not None
        assert again.empty
