"""What is believed where hosts differ, and what is told of it."""

from __future__ import annotations

from typing import Any

from stead.core.address import Address
from stead.core.observed import Have, Observed, StoreOrigin
from stead.core.recorded import Recorded
from stead.core.want import Body, Want
from stead.kinds import kinds
from stead.recovery import belonging
from stead.recovery.rebuild import LedgerEntry, Memory, entry_of, rebuild

NET = Address("acme", "networks", "app")
NOBODY = Recorded()


def record(uuid: str, host: str = "", **leases: str) -> dict[str, Any]:
    leases = {"uuid": uuid, **leases}
    return {"leases": leases, "host": host, "after": ["projects/acme"], "protect": False, "reason": ""}


def entry(host: str, uuid: str = "u", serial: int = 3, site: str = "s", **more: Any) -> LedgerEntry:
    given = {"record": record(uuid), **more}
    return LedgerEntry(host, NET, uuid, Want.of(Body.of({"uuid": uuid})), site, serial, **given)


def memories(*entries: LedgerEntry, **origins: str) -> dict[str, Memory]:
    hosts = {one.host for one in entries} | set(origins)
    return {
        host: Memory(
            host=host,
            origin=StoreOrigin(origins.get(host, "s"), 3, "t"),
            entries=tuple(one for one in entries if one.host == host),
        )
        for host in sorted(hosts)
    }


def codes(found: Any) -> list[str]:
    return [one.code for one in found]


def test_the_newest_entry_is_believed_and_the_other_told() -> None:
    made = rebuild(memories(entry("a", "old", 2), entry("b", "new", 3)), NOBODY)
    assert made.recorded.resources[NET].leases["uuid"] == "new"
    assert set(made.recorded.resources[NET].wants) == {"b"}
    assert codes(made.found) == ["STEAD-S029"]


def test_hosts_that_differ_in_leases_at_one_serial_are_told() -> None:
    made = rebuild(memories(entry("a"), entry("b", record=record("u", vni="7"))), NOBODY)
    assert codes(made.found) == ["STEAD-S029"]


def test_what_is_of_another_site_is_not_taken_in() -> None:
    made = rebuild(memories(entry("a"), entry("b", site="other")), NOBODY)
    assert set(made.recorded.resources[NET].wants) == {"a"}
    assert codes(made.found) == ["STEAD-S031"]


def test_hosts_of_two_sites_make_no_store() -> None:
    assert codes(rebuild(memories(a="s", b="other"), NOBODY).found) == ["STEAD-S023"]


def test_an_entry_of_an_older_stead_gives_what_it_knows() -> None:
    old = entry_of("a", {"address": str(NET), "uuid": "u", "kind": "networks", "digest": "d", "want": {"uuid": "u"}})
    assert old is not None
    made = rebuild({"a": Memory(host="a", origin=StoreOrigin("s", 1, "t"), entries=(old,))}, NOBODY)
    assert made.partial == {NET}
    assert made.recorded.resources[NET].wants["a"].digest == "d"


def test_what_a_store_has_stays_unless_a_host_knows_better() -> None:
    first = rebuild(memories(entry("a", record=record("u", vni="1"))), NOBODY).recorded
    same = rebuild(memories(entry("b", serial=3, record=record("u", vni="2"))), first).recorded.resources[NET]
    newer = rebuild(memories(entry("b", serial=4, record=record("u", vni="2"))), first).recorded.resources[NET]
    assert (same.leases["vni"], set(same.wants)) == ("1", {"a", "b"})
    assert newer.leases["vni"] == "2"


def test_what_cannot_be_read_is_told_for_its_host_alone() -> None:
    strange = Address("acme", "balancers", "lb")
    have = Have(Want.of(Body.of({})), "", "u")
    observed = Observed(hosts={}, haves={strange: {"a": have}, NET: {"a": have}}, unread={"b": ("x is not JSON.",)})
    seen, told = belonging.understood(observed, kinds())
    assert list(seen.haves) == [NET]
    assert codes(told) == ["STEAD-S026", "STEAD-S027"]
