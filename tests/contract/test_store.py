"""What every store must do. Each law holds for SQLite and for PostgreSQL alike."""

from __future__ import annotations

import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stead.core.address import Address
from stead.core.diagnostics import Refused
from stead.core.metered import Metered
from stead.core.observed import Host
from stead.core.recorded import KnownHost, Record
from stead.core.value import replace
from stead.core.want import Body, Want
from stead.store import Store
from stead.store.lock import take
from stead.store.model import Began, Ended, Lineage, LockRequest, Outcome, Skipped, Start, StepState, Writes

OpenStore = Callable[..., Store]
NET = Address("acme", "networks", "app")
WEB = [Address("acme", "instances", "web", number) for number in range(3)]
ME = LockRequest("ada", "a test")
RUN = Start("ada", "a test", "plan-1", 3)
BODY = Body.of({"vcpus": 2})


def record(address: Address, **fields: Any) -> Record:
    return Record(address=address, leases={"uuid": f"uuid of {address}"}, **fields)


def want(name: str) -> Want:
    return Want.of(BODY, {"name": name})


def codes(refusal: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [one.code for one in refusal.value.diagnostics]


def fill(store: Store, writes: Writes, start: Start = RUN) -> int:
    with store.lock(ME) as hold:
        run = store.start(hold, start, writes)
        store.finish(hold, run, Outcome.DONE, Writes())
    return run


def test_a_new_store_knows_nothing_and_has_a_site(store: Store) -> None:
    recorded = store.recorded()
    assert recorded.resources == {}
    assert recorded.serial == 0
    assert recorded.site == store.site
    assert len(store.site) == 36


def test_a_store_keeps_its_site(opened: OpenStore) -> None:
    assert opened().site == opened().site


def test_a_host_that_is_drained_stays_so_until_it_is_restored(opened: OpenStore) -> None:
    host = Host(name="c1", roles=frozenset({"compute"}))
    drained = KnownHost(host, drained="ada", displaced=("u-1", "u-2"))
    fill(opened(), Writes(hosts={"c1": drained, "c2": KnownHost(host, "bob")}))
    assert opened().recorded().hosts == {"c1": drained, "c2": KnownHost(host, "bob")}
    for after in (drained._replace(drained=""), KnownHost(host)):  # what could not come home may come later
        fill(opened(), Writes(hosts={"c1": after}))
        assert opened().recorded().hosts["c1"] == after


def test_what_is_written_is_read_back(opened: OpenStore) -> None:
    records = [
        record(NET, host="net-1", protect=True, reason="sticky: it was there"),
        *(record(one, host="compute-1", after=(NET, Address("", "images", "debian"))) for one in WEB),
        record(Address("acme", "volumes", "data", "eu.1"), after=(WEB[0],)),
    ]
    wants = [(one, "compute-1", want(str(one))) for one in WEB]
    wants += [(NET, host, Want.of(BODY)) for host in ("compute-1", "net-1")]
    fill(opened(), Writes(records=records, wants=wants))
    resources = opened().recorded().resources
    assert set(resources) == {one.address for one in records}
    for one in records:
        found = resources[one.address]
        assert (found.leases, found.host, found.after) == (one.leases, one.host, one.after)
        assert (found.protect, found.reason) == (one.protect, one.reason)
    assert {(address, host): one for address, found in resources.items() for host, one in found.wants.items()} == {
        (address, host): one for address, host, one in wants
    }
    assert resources[WEB[0]].wants["compute-1"].digest == want(str(WEB[0])).digest


def test_one_record_is_read_as_all_are(store: Store) -> None:
    fill(
        store, Writes(records=[record(WEB[0]), record(NET)], wants=[(WEB[0], "c1", want("a")), (NET, "c2", want("b"))])
    )
    assert store.record(WEB[0]) == store.recorded().resources[WEB[0]]
    assert store.record(WEB[1]) is None


def test_bodies_are_shared(store: Store) -> None:
    fill(store, Writes(records=list(map(record, WEB)), wants=[(one, "c1", want(str(one))) for one in WEB]))
    bodies = {id(one.wants["c1"].body) for one in store.recorded().resources.values()}
    assert len(bodies) == 1


def test_a_want_that_is_gone_takes_its_body_with_it(store: Store) -> None:
    other = Body.of({"only": "here"})
    fill(store, Writes(records=[record(NET)], wants=[(NET, "c1", Want.of(other)), (NET, "c2", want("a"))]))
    fill(store, Writes(wants=[(NET, "c1", None)]))
    assert set(store.recorded().resources[NET].wants) == {"c2"}
    fill(store, Writes(wants=[(NET, "c1", Want.of(other))]))
    assert store.recorded().resources[NET].wants["c1"].body == other


def test_what_is_gone_is_gone_with_its_wants(store: Store) -> None:
    fill(store, Writes(records=list(map(record, WEB)), wants=[(one, "c1", want(str(one))) for one in WEB]))
    fill(store, Writes(gone=WEB[:2]))
    assert set(store.recorded().resources) == {WEB[2]}
    fill(store, Writes(records=[record(WEB[0])]))
    assert store.recorded().resources[WEB[0]].wants == {}


def test_the_serial_grows_with_every_change(store: Store) -> None:
    seen = [store.serial()]
    with store.lock(ME) as hold:
        run = store.start(hold, RUN, Writes())
        seen.append(store.serial())
        store.write(hold, run, Writes(records=[record(NET)]))
        seen.append(store.serial())
        store.write(hold, run, Writes(wants=[(NET, "c1", want("a"))]))
        seen.append(store.serial())
        store.finish(hold, run, Outcome.DONE, Writes(outputs={"a": 1}))
        seen.append(store.serial())
    with store.lock(ME) as hold:
        store.edit(hold, "ada", "removed", Writes(gone=[NET]))
    seen.append(store.serial())
    assert seen == sorted(set(seen))


def test_the_journal_alone_does_not_move_the_serial(store: Store) -> None:
    with store.lock(ME) as hold:
        run = store.start(hold, RUN, Writes())
        before = store.serial()
        store.write(hold, run, Writes(began=[Began(0, NET, "c1", "create")]))
        store.write(hold, run, Writes(ended=[Ended(0, StepState.DONE)]))
        assert store.serial() == before


# The journal


def test_a_step_is_in_flight_once_its_run_is_dead_and_not_before(store: Store) -> None:
    with store.lock(ME) as hold:
        run = store.start(hold, RUN, Writes())
        store.write(hold, run, Writes(began=[Began(0, NET, "c1", "create"), Began(1, WEB[0], "c1", "create")]))
        store.write(hold, run, Writes(ended=[Ended(0, StepState.DONE)]))
        assert store.recorded().in_flight == ()
    (found,) = store.recorded().in_flight
    assert (found.run, found.step, found.address, found.host, found.action) == (run, 1, WEB[0], "c1", "create")
    killed = store.run(run)
    assert killed is not None
    assert killed.outcome is Outcome.KILLED


def test_the_next_run_takes_over_what_was_in_flight(store: Store) -> None:
    with store.lock(ME) as hold:
        first = store.start(hold, RUN, Writes())
        store.write(hold, first, Writes(began=[Began(0, NET, "c1", "create")]))
    fill(store, Writes())
    assert store.recorded().in_flight == ()
    assert [one.state for one in store.journal(first)] == [StepState.CUT]


def test_a_journal_tells_each_step_with_its_error(store: Store) -> None:
    with store.lock(ME) as hold:
        run = store.start(hold, RUN, Writes())
        store.write(hold, run, Writes(began=[Began(one, WEB[one], "c1", "create") for one in (0, 1)]))
        ended = [Ended(0, StepState.DONE), Ended(1, StepState.FAILED, "no room")]
        store.finish(
            hold, run, Outcome.FAILED, Writes(ended=ended, skipped=[Skipped(2, WEB[2], "c2", "create", "it waits")])
        )
    told = [(one.step, one.address, one.state, one.error) for one in store.journal(run)]
    assert told == [
        (0, str(WEB[0]), StepState.DONE, ""),
        (1, str(WEB[1]), StepState.FAILED, "no room"),
        (2, str(WEB[2]), StepState.SKIPPED, "it waits"),
    ]
    (info,) = store.runs()
    assert (info.id, info.who, info.plan, info.outcome) == (run, "ada", "plan-1", Outcome.FAILED)
    assert (info.steps, info.done, info.failed, info.skipped) == (3, 1, 1, 1)


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    fill(store, Writes(records=[record(NET)]))
    serial = store.serial()
    bad = (NET, "c2", Want(BODY, None, "x"))  # type: ignore[arg-type]  # refused by the database, halfway through
    with store.lock(ME) as hold, pytest.raises(Refused):
        store.edit(hold, "ada", "edit", Writes(gone=[WEB[0]], wants=[(NET, "c1", want("a")), bad]))
    assert store.serial() == serial
    assert store.recorded().resources[NET].wants == {}
    with store.lock(ME) as hold:  # and what the failed one took for written is written now
        store.edit(hold, "ada", "edit", Writes(wants=[(NET, "c1", want("a"))]))
    assert store.recorded().resources[NET].wants == {"c1": want("a")}


# History and renames


def test_history_follows_a_resource_through_its_renames(store: Store) -> None:
    new = Address("acme", "instances", "front")
    with store.lock(ME) as hold:
        run = store.start(hold, RUN, Writes(records=[record(WEB[0])]))
        store.write(hold, run, Writes(began=[Began(0, WEB[0], "c1", "create")]))
        store.finish(hold, run, Outcome.DONE, Writes(ended=[Ended(0, StepState.DONE)]))
        store.edit(hold, "bob", "moved", Writes(renamed={WEB[0]: new}))
        run = store.start(hold, RUN._replace(who="cy"), Writes())
        store.write(hold, run, Writes(began=[Began(0, new, "c1", "update")]))
        store.finish(hold, run, Outcome.DONE, Writes(ended=[Ended(0, StepState.DONE)]))
    assert [(one.who, one.what, one.address) for one in store.history(new)] == [
        ("ada", "create", str(WEB[0])),
        ("bob", "moved", str(new)),
        ("cy", "update", str(new)),
    ]


def test_a_rename_is_known_to_those_that_refer_to_it(store: Store) -> None:
    new = Address("acme", "networks", "front")
    fill(store, Writes(records=[record(NET), record(WEB[0], after=(NET,))], wants=[(NET, "c1", want("a"))]))
    fill(store, Writes(renamed={NET: new}))
    resources = store.recorded().resources
    assert resources[WEB[0]].after == (new,)
    assert resources[new].wants == {"c1": want("a")}
    assert NET not in resources


def test_two_may_change_their_names_with_each_other(store: Store) -> None:
    fill(store, Writes(records=[record(WEB[0], host="a"), record(WEB[1], host="b")]))
    fill(store, Writes(renamed={WEB[0]: WEB[1], WEB[1]: WEB[0]}))
    resources = store.recorded().resources
    assert (resources[WEB[0]].host, resources[WEB[1]].host) == ("b", "a")


# Outputs and plans


def test_outputs_replace_those_before(store: Store) -> None:
    with store.lock(ME) as hold:
        for outputs in ({"a": [1, {"b": None}], "gone": True}, {"a": "é"}):
            run = store.start(hold, RUN, Writes())
            store.finish(hold, run, Outcome.DONE, Writes(outputs=outputs))
    assert store.outputs() == {"a": "é"}


def test_the_plan_of_a_run_is_kept(store: Store) -> None:
    content = b'{"stead-plan":1}\n' * 100
    fill(store, Writes(), RUN._replace(content=content))
    assert store.plan("plan-1") == content
    assert store.plan("another") is None


# The lock


def test_of_two_applies_one_is_refused_and_told_who_holds_the_lock(opened: OpenStore) -> None:
    with opened().lock(LockRequest("ada", "nightly apply")):
        with pytest.raises(Refused) as refusal, opened().lock(LockRequest("bob", "")):
            pass
        assert codes(refusal) == ["STEAD-S010"]
        (told,) = refusal.value.diagnostics
        assert "ada" in told.detail
        assert "nightly apply" in told.detail


def test_a_lock_is_free_again_after_it(opened: OpenStore) -> None:
    with opened().lock(ME):
        pass
    with opened().lock(ME) as hold:
        assert not hold.lost


def test_a_reader_is_never_blocked(opened: OpenStore) -> None:
    writer, reader = opened(), opened()
    fill(writer, Writes(records=[record(NET)]))
    answers: list[int] = []
    with writer._db.writing():  # type: ignore[attr-defined]
        writer._db.run("DELETE FROM resources")  # type: ignore[attr-defined]
        thread = threading.Thread(target=lambda: answers.append(len(reader.recorded().resources)))
        thread.start()
        thread.join(30)
        assert answers == [1]


def test_a_live_owner_is_heard_of_beyond_its_time_to_live(opened: OpenStore) -> None:
    store = opened()
    with opened().lock(LockRequest("ada", "", lives=0.6)):
        deadline = time.monotonic() + 60
        while (holder := store.holder()) is None or holder.beat - holder.since <= holder.lives:
            assert time.monotonic() < deadline, holder
            time.sleep(0.05)


def test_an_owner_counts_as_dead_once_it_was_not_heard_of_for_its_time_to_live(opened: OpenStore) -> None:
    db = opened()._db  # type: ignore[attr-defined]
    take(db, LockRequest("ada", "", lives=600), "dead")
    db.run("UPDATE lock SET beat = ?", (db.now() - 500,))
    with pytest.raises(Refused), opened().lock(ME):
        pass
    db.run("UPDATE lock SET beat = ?", (db.now() - 700,))
    with opened().lock(ME):
        pass


def test_an_owner_that_lost_its_lock_writes_nothing_more(opened: OpenStore) -> None:
    slow, other = opened(), opened()
    with slow.lock(ME) as hold:
        run = slow.start(hold, RUN, Writes())
        assert other.unlock("bob").owner == "ada"
        with other.lock(LockRequest("bob", "")), pytest.raises(Refused) as refusal:
            slow.write(hold, run, Writes(records=[record(NET)]))
    assert codes(refusal) == ["STEAD-S011"]
    assert other.recorded().resources == {}


def test_an_owner_is_told_that_it_lost_its_lock(opened: OpenStore) -> None:
    with opened().lock(LockRequest("ada", "", lives=0.3)) as hold:
        opened().unlock("bob")
        deadline = time.monotonic() + 60
        while not hold.lost and time.monotonic() < deadline:
            time.sleep(0.02)
        assert hold.lost


def test_the_end_of_one_that_lost_its_lock_does_not_free_the_next_ones(opened: OpenStore) -> None:
    with opened().lock(ME):
        opened().unlock("bob")
        bob = opened().lock(LockRequest("bob", ""))
        bob.__enter__()
    holder = opened().holder()
    assert holder is not None
    assert holder.owner == "bob"
    bob.__exit__()


def test_unlocking_what_is_not_locked_is_refused(store: Store) -> None:
    with pytest.raises(Refused) as refusal:
        store.unlock("bob")
    assert codes(refusal) == ["STEAD-S012"]


def test_the_holder_is_told_with_all_that_helps(store: Store) -> None:
    assert store.holder() is None
    with store.lock(LockRequest("ada", "nightly")):
        holder = store.holder()
        assert holder is not None
        assert (holder.owner, holder.reason, holder.alive) == ("ada", "nightly", True)
        assert holder.pid > 0
        assert holder.host


# Encryption


def test_what_is_sealed_is_read_with_the_same_key_only(opened: OpenStore) -> None:
    fill(
        opened(key="correct horse"),
        Writes(records=[record(NET)], wants=[(NET, "c1", want("a"))], outputs={"a": 1}),
        RUN._replace(content=b"plan"),
    )
    again = opened(key="correct horse")
    assert again.recorded().resources[NET].wants == {"c1": want("a")}
    assert again.recorded().resources[NET].leases == {"uuid": f"uuid of {NET}"}
    assert (again.outputs(), again.plan("plan-1")) == ({"a": 1}, b"plan")
    with pytest.raises(Refused) as refusal:
        opened(key="battery staple")
    assert codes(refusal) == ["STEAD-S007"]
    with pytest.raises(Refused) as refusal:
        opened()
    assert codes(refusal) == ["STEAD-S008"]


def test_nothing_sealed_can_be_read_from_the_tables(opened: OpenStore) -> None:
    secret = Want.of(Body.of({"user_data": "hunter2 body"}), {"password": "hunter2 own"})
    leases = {"uuid": "hunter2 lease"}
    store = opened(key="correct horse")
    fill(
        store,
        Writes(
            records=[Record(address=NET, leases=leases)], wants=[(NET, "c1", secret)], outputs={"a": "hunter2 output"}
        ),
        RUN._replace(content=b"hunter2 plan"),
    )
    db = store._db  # type: ignore[attr-defined]
    for table in ("meta", "bodies", "resources", "wants", "runs", "steps", "plans", "outputs", "events"):
        for row in db.rows(f"SELECT * FROM {table}"):  # noqa: S608
            assert not any(b"hunter2" in (one if isinstance(one, bytes) else str(one).encode()) for one in row)


SWAPS = {
    "resources": "UPDATE resources SET leases = (SELECT leases FROM resources WHERE address = '{one}') "
    "WHERE address = '{two}'",
    "wants": "UPDATE wants SET own = (SELECT own FROM wants WHERE digest = '{first}') WHERE digest = '{second}'",
    "both": "UPDATE wants SET (own, digest) = (SELECT own, digest FROM wants WHERE digest = '{first}') "
    "WHERE digest = '{second}'",
    "outputs": "UPDATE outputs SET value = (SELECT value FROM outputs WHERE name = 'a') WHERE name = 'b'",
    "bodies": "UPDATE bodies SET content = (SELECT content FROM bodies WHERE digest = '{body}')",
}


@pytest.mark.parametrize("swap", SWAPS)
def test_a_sealed_value_opens_in_its_own_row_only(opened: OpenStore, swap: str) -> None:
    """Who can write to the database and has no key gives nobody what is another's."""
    one, two = WEB[:2]
    wants = {one: want("hunter2"), two: Want.of(Body.of({"vcpus": 4}), {"name": "b"})}
    store = opened(key="correct horse")
    writes = Writes(
        records=[record(one), record(two)],
        wants=[(address, "c1", it) for address, it in wants.items()],
        outputs={"a": "hunter2", "b": "mine"},
    )
    fill(store, writes)
    db = store._db  # type: ignore[attr-defined]
    names = {"one": one, "two": two, "first": wants[one].digest, "second": wants[two].digest, "body": BODY.digest}
    with db.writing():
        db.run(SWAPS[swap].format(**names))
    with pytest.raises(Refused) as refusal:
        store.recorded()
    assert codes(refusal) == ["STEAD-S007"]


def test_a_sealed_value_keeps_up_with_new_names(opened: OpenStore) -> None:
    one, two = WEB[:2]
    store = opened(key="correct horse")
    fill(store, Writes(records=[record(one), record(two)], wants=[(one, "c1", want("a")), (two, "c1", want("b"))]))
    fill(store, Writes(renamed={one: two, two: one}), RUN._replace(plan="plan-2"))
    found = opened(key="correct horse").recorded().resources
    assert {address: dict(it.wants) for address, it in found.items()} == {
        one: {"c1": want("b")},
        two: {"c1": want("a")},
    }
    assert found[one].leases == {"uuid": f"uuid of {two}"}
    assert store.record(two) == found[two]


def test_a_store_that_an_older_stead_sealed_is_bound_to_its_rows(opened: OpenStore) -> None:
    store = opened(key="correct horse")
    writes = Writes(records=[record(NET)], wants=[(NET, "c1", want("a"))], outputs={"a": 1})
    fill(store, writes, RUN._replace(content=b"plan"))
    before = store.recorded()
    db, seal = store._db, store._seal  # type: ignore[attr-defined]
    with db.writing():  # as that one did it
        db.run("DELETE FROM meta WHERE name = 'seals'")
        db.run("UPDATE resources SET leases = ?", (seal.close('{"uuid":"uuid of acme/networks/app"}', "leases"),))
        db.run("UPDATE wants SET own = ?", (seal.close(want("a").own, "own"),))
        db.run("UPDATE bodies SET content = ?", (seal.close(BODY.text, "body"),))
        db.run("UPDATE outputs SET value = ?", (seal.close("[1]", "output"),))
        db.run("UPDATE plans SET content = ?", (seal.close_bytes(zlib.compress(b"plan"), "plan"),))
    for _ in range(2):
        again = opened(key="correct horse")
        assert again.recorded() == before
        assert again.plan("plan-1") == b"plan"


def test_a_key_for_a_store_that_was_made_without_one_is_refused(opened: OpenStore) -> None:
    opened()
    with pytest.raises(Refused) as refusal:
        opened(key="correct horse")
    assert codes(refusal) == ["STEAD-S007"]


def test_a_plain_store_can_be_sealed(opened: OpenStore) -> None:
    store = opened()
    writes = Writes(records=[record(NET)], wants=[(NET, "c1", want("hunter2"))], outputs={"a": "hunter2"})
    fill(store, writes, RUN._replace(content=b"plan"))
    before = store.recorded()
    with store.lock(ME) as hold:
        store.encrypt(hold, "correct horse")
    for one in (store, opened(key="correct horse")):
        assert one.recorded().resources == before.resources
        assert (one.outputs(), one.plan("plan-1")) == ({"a": "hunter2"}, b"plan")
    with pytest.raises(Refused) as refusal:
        opened()
    assert codes(refusal) == ["STEAD-S008"]
    assert "hunter2" not in repr(store._db.rows("SELECT own FROM wants"))  # type: ignore[attr-defined]


def test_what_hosts_remember_goes_into_a_new_store(opened: OpenStore, tmp_path: Path) -> None:
    store, folder = opened(), tmp_path / ".stead"
    app, given = record(NET, host="a"), want("app")
    lineage = Lineage(site="the-site", serial=41, tokens=frozenset({"t1", "t2"}), unheard=frozenset({"b"}))
    with store.lock(ME) as hold:
        store.restore(
            hold, "ada", lineage, Writes(records=[app], wants=[(NET, "a", given)], outputs={"www": "x"}), folder
        )
    found = opened().recorded()
    assert (found.site, found.serial, found.unheard) == ("the-site", 42, frozenset({"b"}))
    assert found.tokens >= {"t1", "t2"}
    assert found.resources[NET].wants == {"a": given}
    assert store.history(NET)[-1].what == "recovered"
    with store.lock(ME) as hold:
        store.restore(hold, "ada", replace(lineage, serial=42, unheard=frozenset()), Writes(), folder)
    assert opened().recorded().unheard == frozenset()
    assert len(opened().runs()) == 2


def taken(store: Store, project: str | None = None) -> list[tuple[str, str, dict[str, int]]]:
    return [(str(one.address), one.uuid, dict(one.amounts)) for one in store.metered(project)]


def test_what_resources_take_is_remembered_with_its_time(opened: OpenStore) -> None:
    web, small, large = WEB[0], {"vcpus": 1, "memory": 1 << 40}, {"vcpus": 2, "memory": 1 << 40}
    store, before = opened(), time.time() - 60
    assert store.metered_since() == 0
    fill(store, Writes(records=[record(web)], metered=[Metered(web, "u1", small)]))
    fill(store, Writes(metered=[Metered(web, "u1", small)]))  # nothing new
    fill(store, Writes(metered=[Metered(web, "u1", large), Metered(web, "u2", large)]))
    fill(store, Writes(gone=[web, WEB[1]]))
    rows = opened().metered()
    assert taken(store) == [
        (str(web), "u1", small), (str(web), "u1", large), (str(web), "u2", large), (str(web), "u2", {}),
    ]  # fmt: skip
    assert before < rows[0].at <= rows[1].at == rows[2].at <= rows[3].at < time.time() + 60
    assert opened("").metered_since() == 0


def test_usage_goes_with_a_new_name_and_is_read_by_project(store: Store) -> None:
    a, b, other = WEB[0], WEB[1], Address("acme-2", "volumes", "x")
    amounts = {"volumes:fast": 7}
    metered = [Metered(a, "ua", {"vcpus": 1}), Metered(b, "ub", {"vcpus": 2}), Metered(other, "uo", amounts)]
    fill(store, Writes(records=[record(a), record(b), record(other)], metered=metered))
    with store.lock(ME) as hold:
        store.edit(hold, "ada", "moved", Writes(renamed={a: b, b: a}))  # they change places
    last = {one.address: (one.uuid, dict(one.amounts)) for one in store.metered("acme")}
    assert last == {a: ("ub", {"vcpus": 2}), b: ("ua", {"vcpus": 1})}
    assert taken(store, "acme-2") == [(str(other), "uo", amounts)]
    assert taken(store, "acm") == []
    assert len(taken(store)) == len(taken(store, "acme")) + 1


def test_usage_is_written_only_with_the_lock_and_whole(store: Store) -> None:
    with store.lock(ME) as hold:
        run = store.start(hold, RUN, Writes(metered=[Metered(WEB[0], "u", {"vcpus": 1})]))
        store.unlock("bob")
        with pytest.raises(Refused) as refusal:
            store.write(hold, run, Writes(metered=[Metered(WEB[0], "u", {"vcpus": 64})]))
        assert codes(refusal) == ["STEAD-S011"]
    assert taken(store) == [(str(WEB[0]), "u", {"vcpus": 1})]


def test_a_store_that_was_rebuilt_says_since_when_it_knows_usage(store: Store, tmp_path: Path) -> None:
    lineage = Lineage(site="the-site", serial=4, tokens=frozenset(), unheard=frozenset())
    with store.lock(ME) as hold:
        writes = Writes(records=[record(WEB[0])], metered=[Metered(WEB[0], "u", {"vcpus": 1})])
        store.restore(hold, "ada", lineage, writes, tmp_path / ".stead")
    since = store.metered_since()
    assert since is not None
    assert abs(since - time.time()) < 60
    assert store.metered()[0].at == pytest.approx(since, abs=60)


def test_a_store_that_never_metered_begins_with_what_there_is(store: Store) -> None:
    store._db.run("DELETE FROM meta WHERE name = 'metered'")  # type: ignore[attr-defined]
    assert store.metered_since() is None
    with store.lock(ME) as hold:
        store.begin_metering(hold, [Metered(WEB[0], "u", {"vcpus": 1})])
    assert store.metered_since()
    assert taken(store) == [(str(WEB[0]), "u", {"vcpus": 1})]


def test_many_are_remembered_at_once(store: Store) -> None:
    some = [Address("acme", "volumes", "v", number) for number in range(1203)]
    for size in (1, 1, 2):
        fill(store, Writes(metered=[Metered(one, str(one), {"volumes:a": size}) for one in some]))
    fill(store, Writes(gone=some))
    assert len(store.metered()) == 3 * len(some)


def test_runs_are_counted_by_how_they_ended(store: Store) -> None:
    assert store.outcomes() == {}
    fill(store, Writes())
    fill(store, Writes())
    with store.lock(ME) as hold:
        run = store.start(hold, RUN, Writes())
        assert store.outcomes() == {Outcome.DONE: 2, Outcome.RUNNING: 1}
        store.finish(hold, run, Outcome.FAILED, Writes())
    with store.lock(ME) as hold:
        store.start(hold, RUN, Writes())
    assert store.outcomes() == {Outcome.DONE: 2, Outcome.FAILED: 1, Outcome.KILLED: 1}


def test_events_are_told_in_their_order_and_by_project(store: Store) -> None:
    before = time.time() - 5
    other = Address("acme-2", "volumes", "x")
    with store.lock(ME) as hold:
        begun = [Began(0, NET, "h", "create"), Began(1, other, "h", "create"), Began(2, WEB[0], "h", "create")]
        run = store.start(hold, RUN, Writes(began=begun))
        store.write(hold, run, Writes(ended=[Ended(1, StepState.DONE)]))
        store.write(hold, run, Writes(ended=[Ended(0, StepState.FAILED, "no room")]))
        skipped = [Skipped(3, WEB[1], "h", "create", "it waits")]
        store.write(hold, run, Writes(skipped=skipped, records=[record(WEB[2])]))
        assert [one.address for one in store.events(before)] == [str(other), str(NET)], "one has not ended"
        store.finish(hold, run, Outcome.FAILED, Writes())
        store.edit(hold, "bob", "removed", Writes(gone=[WEB[2]]))
    found = store.events(before)
    assert [(one.address, one.what, one.state, one.detail, one.run) for one in found] == [
        (str(other), "create", "done", "", 1), (str(NET), "create", "failed", "no room", 1),
        (str(WEB[2]), "removed", "", "", 0),
    ]  # fmt: skip
    assert [one.address for one in store.events(before, "acme-2")] == [str(other)]
    assert store.events(before, "acm") == []
    assert store.events(time.time() + 60) == []
    time.sleep(0.05)
    later = time.time()
    with store.lock(ME) as hold:
        store.start(hold, RUN, Writes())  # what a killed run left is cut now
    assert [(one.address, one.state) for one in store.events(later)] == [(str(WEB[0]), "cut")]
    assert [one.state for one in store.events(before, "acme") if one.address == str(WEB[0])] == ["cut"]
