"""Whatever was applied, a store rebuilt from the hosts is the one that was lost, and the plan after it is empty."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sites import KEY, desired, hosts, planned, specs

from stead.blueprint.dry_run import applied
from stead.blueprint.settle import settle
from stead.core.observed import Observed, StoreOrigin
from stead.core.recorded import Record, Recorded
from stead.kinds import kinds
from stead.plan.model import Keep
from stead.recovery.derive import complete
from stead.recovery.rebuild import LedgerEntry, Memory, Rebuilt, rebuild

RANDOM = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
EMPTY = Recorded(site="a-site")


def told(record: Record) -> dict[str, Any]:
    return Keep(record.address, record.leases, record.host, record.after, record.protect, record.reason, None).told()


def entries(recorded: Recorded, observed: Observed, *, whole: bool) -> Iterator[LedgerEntry]:
    for address, haves in observed.haves.items():
        record = recorded.resources[address]
        for host, have in haves.items():
            yield LedgerEntry(host, address, have.uuid, have.want, "a-site", 1, told(record) if whole else None)


def recovered(spec: dict[str, Any], some: list[LedgerEntry], observed: Observed) -> Rebuilt:
    names = {one.host for one in some}
    memories = {
        name: Memory(
            host=name, origin=StoreOrigin("a-site", 1, "t"), entries=tuple(one for one in some if one.host == name)
        )
        for name in names
    }
    rebuilt = rebuild(memories, Recorded())
    blueprint, _ = settle(desired(spec), rebuilt.recorded, observed, kinds=kinds(), key=KEY)
    assert blueprint is not None
    return complete(rebuilt, blueprint)


@RANDOM
@given(specs(), specs())
def test_nothing_is_lost_with_the_store(before: dict[str, Any], spec: dict[str, Any]) -> None:
    """Also where choices are not those that the spec alone would lead to, since something else was there before."""
    site = Observed(hosts=hosts([32, 48, 32, 64]), digest="observed")
    first = planned(desired(before), EMPTY, site).blueprint
    assert first is not None
    recorded, observed = applied(first, EMPTY, site)
    second = planned(desired(spec), recorded, observed).blueprint
    assert second is not None
    recorded, observed = applied(second, recorded, observed)
    some = list(entries(recorded, observed, whole=True))
    if not some:
        return
    rebuilt = recovered(spec, some, observed)
    assert not rebuilt.found
    assert {one: told(record) for one, record in rebuilt.recorded.resources.items() if record.host} == {
        one: told(record) for one, record in recorded.resources.items() if record.host
    }
    plan = planned(desired(spec), rebuilt.recorded, observed).plan
    assert plan is not None
    assert plan.empty, [(str(step.address), step.host, step.reasons) for step in plan.steps]


@RANDOM
@given(specs(), st.data())
def test_what_an_older_stead_wrote_is_proven_by_its_digests_or_told(spec: dict[str, Any], data: st.DataObject) -> None:
    site = Observed(hosts=hosts([32, 48, 32, 64]), digest="observed")
    made = planned(desired(spec), EMPTY, site).blueprint
    assert made is not None
    recorded, observed = applied(made, EMPTY, site)
    some = list(entries(recorded, observed, whole=False))
    if not some:
        return
    lost = data.draw(st.sampled_from(sorted({one.address for one in some}, key=str)))
    changed = [
        one._replace(want=one.want and one.want.of(one.want.body, {"x": 1})) if one.address == lost else one
        for one in some
    ]
    rebuilt = recovered(spec, changed, observed)
    assert {(one.code, one.address) for one in rebuilt.found} == {("STEAD-S032", str(lost))}
    for address, record in recorded.resources.items():
        assert rebuilt.recorded.resources[address].leases["uuid"] == record.leases["uuid"]
        if address != lost:
            assert rebuilt.recorded.resources[address].leases == record.leases
