"""Laws of chosen values."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stead.blueprint.claims import LeaseClaim
from stead.blueprint.leases import IDENTITY, UUID, choose
from stead.core.address import Address
from stead.core.diagnostics import Place
from stead.core.needs import Addresses, Borrowed, Macs, Names, Need, Numbers
from stead.core.recorded import Record

TEN = 10 << 24
NONE = "{}"
POOL = Addresses(4, TEN + 2, TEN + 20, frozenset({TEN + 3}))


def block(name: str, count: int, project: str = "acme", *, project_file: bool = False) -> Any:
    members = tuple(Address(project, "instances", name, index) for index in range(count))
    settings = SimpleNamespace(replace_when=None)
    place = Place(f"{project}.yml", 1, 1)
    return SimpleNamespace(
        members=members, settings=settings, place=lambda _path="": place, name=name, project_file=project_file
    )


def nic(space: str = "net", fixed: str | None = None) -> tuple[Need, ...]:
    return (Need("nics.0.mac", "mac", Macs()), Need("nics.0.v4", space, POOL, fixed))


def recorded(leases: dict[Address, dict[str, str]]) -> dict[Address, Record]:
    return {address: Record(address=address, leases=values) for address, values in leases.items()}


def settle(
    *claims: LeaseClaim, records: Any = None, **more: Any
) -> tuple[dict[Address, dict[str, str]], list[Any], Any]:
    leases, found = choose(claims, records or {}, site="s", **more)
    return {address: dict(values) for address, values in leases.of.items()}, found, leases


def test_lowest_free_address_is_chosen_and_the_taken_one_skipped() -> None:
    chosen, found, _ = settle(LeaseClaim(block("web", 3), nic(), NONE))
    assert [values["nics.0.v4"] for values in chosen.values()] == ["10.0.0.2", "10.0.0.4", "10.0.0.5"]
    assert found == []


def test_recorded_values_stay_when_a_lower_one_is_free() -> None:
    web = block("web", 2)
    first, _, _ = settle(LeaseClaim(block("a", 2), nic(), NONE), LeaseClaim(web, nic(), NONE))
    kept = {address: first[address] for address in web.members}
    again, _, _ = settle(LeaseClaim(web, nic(), NONE), records=recorded(kept))
    assert again == kept
    assert again[web.members[0]]["nics.0.v4"] != "10.0.0.2"


def test_whoever_takes_the_name_of_another_does_not_take_its_identity() -> None:
    """That was renamed, or goes on unmanaged: on hosts it is known by its UUID."""
    web, old = block("web", 1), Address("acme", "instances", "old")
    first, _, _ = settle(LeaseClaim(web, (), NONE))
    uuid = first[web.members[0]][UUID]
    renamed, _, _ = settle(LeaseClaim(web, (), NONE), records=recorded({old: {UUID: uuid}}))
    unmanaged, _, _ = settle(LeaseClaim(web, (), NONE), taken=[(UUID, uuid, old)])
    assert uuid not in {renamed[web.members[0]][UUID], unmanaged[web.members[0]][UUID]}
    again, _, _ = settle(LeaseClaim(web, (), NONE), records=recorded({old: {UUID: uuid}, **renamed}))
    assert again == renamed


def test_fixed_value_displaces_a_remembered_one() -> None:
    web, db = block("web", 1), block("db", 1)
    before, _, _ = settle(LeaseClaim(web, nic(), NONE))
    held = before[web.members[0]]["nics.0.v4"]
    chosen, found, leases = settle(
        LeaseClaim(web, nic(), NONE), LeaseClaim(db, nic(fixed=held), NONE), records=recorded(before)
    )
    assert [(one.code, one.severity) for one in found] == [("STEAD-R022", "warning")]
    assert leases.takes_over == {db.members[0]: (web.members[0],)}  # which has let go of it by then
    assert chosen[db.members[0]]["nics.0.v4"] == held
    assert chosen[web.members[0]]["nics.0.v4"] != held


def test_a_project_file_displaces_nothing_of_another_project() -> None:
    """Who came first has it, whatever the order of their names."""
    for other in ("a-first", "z-last"):
        web = block("web", 1, other)
        before, _, _ = settle(LeaseClaim(web, nic(), NONE))
        held = before[web.members[0]]["nics.0.v4"]
        taker = LeaseClaim(block("db", 1, project_file=True), nic(fixed=held), NONE)
        _, found, _ = settle(LeaseClaim(web, nic(), NONE), taker, records=recorded(before))
        assert [(one.code, one.severity, one.place) for one in found] == [
            ("STEAD-R023", "error", Place("acme.yml", 1, 1))
        ]
        assert other not in found[0].detail
        own = block("own", 1)
        before, _, _ = settle(LeaseClaim(own, nic(fixed=held), NONE))
        _, found, _ = settle(LeaseClaim(own, nic(), NONE), taker, records=recorded(before))
        assert [one.code for one in found] == ["STEAD-R022"]  # of its own project it may


def test_who_came_second_is_told_that_a_value_is_fixed_twice() -> None:
    for other in ("a-first", "z-last"):
        web = LeaseClaim(block("web", 1, other, project_file=True), nic(fixed="10.0.0.9"), NONE)
        before, _, _ = settle(web)
        db = LeaseClaim(block("db", 1, project_file=True), nic(fixed="10.0.0.9"), NONE)
        _, found, _ = settle(web, db, records=recorded(before))
        assert [(one.code, one.place) for one in found] == [("STEAD-R020", Place("acme.yml", 1, 1))]


def test_same_value_fixed_twice_is_told() -> None:
    _, found, _ = settle(
        LeaseClaim(block("a", 1), nic(fixed="10.0.0.9"), NONE), LeaseClaim(block("b", 1), nic(fixed="10.0.0.9"), NONE)
    )
    assert [one.code for one in found] == ["STEAD-R020"]


def test_value_of_a_leaving_resource_is_not_given_out_before_it_left() -> None:
    gone = Address("acme", "instances", "old")
    records = recorded({gone: {"uuid": "u", "nics.0.v4": "10.0.0.2"}})
    chosen, _, leases = settle(LeaseClaim(block("web", 1), nic(), NONE), records=records)
    assert next(iter(chosen.values()))["nics.0.v4"] == "10.0.0.4"
    assert leases.takes_over == {}


@pytest.mark.parametrize("needs", [(), nic("other")[1:], nic(fixed="10.0.0.9")])
def test_value_that_is_given_back_is_nobody_elses_until_then(needs: tuple[Need, ...]) -> None:
    """Its host has it still, and may be silent for long."""
    first, web = block("a", 1), block("web", 1)
    had = {"uuid": "u", "nics.0.v4": "10.0.0.2", "nics.0.mac": "m", "of an earlier version": "a:b:c"}
    asked = tuple(one._replace(key="nics.1.v4") if one.space == "other" else one for one in needs)
    chosen, found, _ = settle(
        LeaseClaim(first, asked, NONE), LeaseClaim(web, nic(), NONE), records=recorded({first.members[0]: had})
    )
    assert chosen[web.members[0]]["nics.0.v4"] == "10.0.0.4"
    assert found == []


def test_fixed_value_of_a_leaving_resource_waits_for_it() -> None:
    gone = Address("acme", "instances", "old")
    records = recorded({gone: {"uuid": "u", "nics.0.v4": "10.0.0.2"}})
    web = block("web", 1)
    _, _, leases = settle(LeaseClaim(web, nic(fixed="10.0.0.2"), NONE), records=records)
    assert leases.takes_over == {web.members[0]: (gone,)}


def test_exhausted_pool_says_how_many_it_holds() -> None:
    _, found, _ = settle(LeaseClaim(block("web", 30), nic(), NONE))
    assert [one.code for one in found] == ["STEAD-R021"]
    assert "are 19: 1 kept back. Enlarge the pool or request fewer." in found[0].detail


def test_exhausted_pool_says_who_has_what_it_holds() -> None:
    gone = Address("acme", "instances", "old")
    pool = Addresses(4, TEN + 2, TEN + 4, frozenset({TEN + 2}))
    records = recorded({gone: {"uuid": "u", "nics.0.v4": "10.0.0.3"}})
    _, found, _ = settle(LeaseClaim(block("web", 2), (Need("nics.0.v4", "app", pool),), NONE), records=records)
    assert "are 3: 1 kept back and 1 still held by resources that this plan destroys or changes." in found[0].detail
    assert "apply without it first" in found[0].detail


def test_changed_identity_gets_another_uuid_and_keeps_the_address() -> None:
    web = block("web", 1)
    (address,) = web.members
    before, _, _ = settle(LeaseClaim(web, nic(), '{"pool": "a"}'))
    after, _, _ = settle(LeaseClaim(web, nic(), '{"pool": "b"}'), records=recorded(before))
    assert after[address][UUID] != before[address][UUID]
    assert after[address][IDENTITY] == '{"pool": "b"}'
    assert after[address]["nics.0.v4"] == before[address]["nics.0.v4"]


def test_field_that_becomes_part_of_the_identity_replaces_nothing() -> None:
    web = block("web", 1)
    before, _, _ = settle(LeaseClaim(web, nic(), '{"pool": "a"}'))
    after, _, _ = settle(LeaseClaim(web, nic(), '{"pool": "a", "type": "x"}'), records=recorded(before))
    assert after[web.members[0]][UUID] == before[web.members[0]][UUID]


def test_replacing_on_request_gets_another_uuid() -> None:
    web = block("web", 1)
    before, _, _ = settle(LeaseClaim(web, nic(), NONE))
    after, _, _ = settle(LeaseClaim(web, nic(), NONE), records=recorded(before), replace=frozenset(web.members))
    assert after[web.members[0]][UUID] != before[web.members[0]][UUID]


@given(st.permutations([("a", 3), ("b", 1), ("c", 5)]))
def test_order_of_input_does_not_matter(order: list[tuple[str, int]]) -> None:
    straight, _, _ = settle(
        *[LeaseClaim(block(name, count), nic(), NONE) for name, count in [("a", 3), ("b", 1), ("c", 5)]]
    )
    shuffled, _, _ = settle(*[LeaseClaim(block(name, count), nic(), NONE) for name, count in order])
    assert shuffled == straight


@given(st.integers(1, 15), st.integers(1, 15))
def test_no_value_is_given_twice_in_one_space(first: int, second: int) -> None:
    numbers = (Need("vni", "vni", Numbers(1, 100)),)
    chosen, found, _ = settle(
        LeaseClaim(block("a", first), numbers, NONE), LeaseClaim(block("b", second), numbers, NONE)
    )
    values = [one["vni"] for one in chosen.values()]
    assert found == []
    assert len(set(values)) == len(values)


# -- names


SPACE = "the DNS of networks/lan"


def called(name: str | None = None) -> tuple[Need, ...]:
    return (Need("nics.lan.mac", "mac", Macs()), Need("names.lan.dns", SPACE, Names("nics.lan.mac"), name))


def claimed(project: str, name: str, *, file: bool = True, hostname: str | None = None) -> LeaseClaim:
    return LeaseClaim(block(name, 1, project, project_file=file), called(hostname or name), NONE)


@pytest.mark.parametrize("other", ["a-first", "z-last"])
def test_a_name_in_a_shared_network_is_whose_it_was_first(other: str) -> None:
    """Whatever the order of the projects' names. Who comes second is told whose it is, and no more."""
    first = claimed(other, "web")
    before, found, _ = settle(first)
    assert found == []
    for second in (claimed("acme", "web"), claimed("acme", "db", hostname="web")):
        _, found, _ = settle(first, second, records=recorded(before))
        assert [(one.code, one.place) for one in found] == [("STEAD-G008", Place("acme.yml", 1, 1))]
        assert found[0].detail == (
            f"The name web in {SPACE} belongs to project {other}, which had it first. Choose another."
        )


def test_who_takes_another_name_comes_second_although_it_was_there() -> None:
    first, there = claimed("z-last", "web"), claimed("acme", "db")
    before, _, _ = settle(first, there)
    _, found, _ = settle(first, claimed("acme", "db", hostname="web"), records=recorded(before))
    assert [one.place for one in found] == [Place("acme.yml", 1, 1)]


def test_names_of_one_projects_own_and_of_the_sites_files_are_nobody_elses_business() -> None:
    first = claimed("acme", "web")
    before, _, _ = settle(first)
    for one in (claimed("acme", "db", hostname="web"), claimed("blue", "web", file=False)):
        assert settle(first, one, records=recorded(before))[1] == []


def test_members_have_names_of_their_own() -> None:
    chosen, found, _ = settle(LeaseClaim(block("web", 2), called(), NONE))
    assert ([one["names.lan.dns"] for one in chosen.values()], found) == (["web-0", "web-1"], [])


def test_a_name_that_was_given_up_is_the_next_ones() -> None:
    before, _, _ = settle(claimed("blue", "web"))
    given_up = claimed("blue", "web", hostname="other")
    chosen, found, _ = settle(given_up, claimed("acme", "web"), records=recorded(before))
    assert found == []
    assert sorted(one["names.lan.dns"] for one in chosen.values()) == ["other", "web"]


def test_a_record_from_before_names_were_leases_stays_as_it_is_and_was_first() -> None:
    old = claimed("z-last", "web")
    before, _, _ = settle(old)
    for leases in before.values():
        del leases["names.lan.dns"]
    again, found, _ = settle(old, records=recorded(before))
    assert (again, found) == (before, [])
    _, found, _ = settle(old, claimed("acme", "web"), records=recorded(before))
    assert [one.place for one in found] == [Place("acme.yml", 1, 1)]
    elsewhere = {address: {UUID: leases[UUID]} for address, leases in before.items()}  # it was in no such network
    _, found, _ = settle(old, claimed("acme", "web"), records=recorded(elsewhere))
    assert [one.place for one in found] == [Place("z-last.yml", 1, 1)]


# -- borrowed


def ports(count: int = 1) -> LeaseClaim:
    return LeaseClaim(block("www", count), (Need("mac", "mac", Macs()), Need("v4", "net", POOL)), NONE, lends=True)


def borrowing(who: Any, lender: Address) -> LeaseClaim:
    needs = (Need("nics.0.mac", "", Borrowed(lender, "mac")), Need("nics.0.v4", "", Borrowed(lender, "v4")))
    return LeaseClaim(who, needs, NONE)


def test_a_borrower_has_what_its_lender_has_and_nobody_else_gets_it() -> None:
    lender, web = ports(), block("web", 1)
    port = lender.block.members[0]
    chosen, found, _ = settle(borrowing(web, port), LeaseClaim(block("a", 2), nic(), NONE), lender)
    assert found == []
    assert chosen[web.members[0]]["nics.0.v4"] == chosen[port]["v4"]
    assert chosen[web.members[0]]["nics.0.mac"] == chosen[port]["mac"]
    assert len({values.get("nics.0.v4", values.get("v4")) for values in chosen.values()}) == 3


def test_a_new_lender_gets_what_its_borrower_had_and_keeps_it_when_that_is_gone() -> None:
    lender, web = ports(), block("web", 1)
    port = lender.block.members[0]
    own, _, _ = settle(LeaseClaim(block("a", 3), nic(), NONE), LeaseClaim(web, nic(), NONE))
    kept = {address: values for address, values in own.items() if address in web.members}
    lent, _, _ = settle(borrowing(web, port), lender, records=recorded(kept))
    assert lent[port]["v4"] == kept[web.members[0]]["nics.0.v4"]
    alone, _, _ = settle(LeaseClaim(web, nic(), NONE), lender, records=recorded(lent))
    assert alone[port] == lent[port]
    assert alone[web.members[0]]["nics.0.v4"] != lent[port]["v4"]


def test_a_borrower_comes_after_whoever_borrowed_before_it() -> None:
    lender, web, new = ports(), block("web", 1), block("new", 1)
    port = lender.block.members[0]
    lent, _, _ = settle(borrowing(web, port), lender)
    _, _, gone = settle(borrowing(new, port), lender, records=recorded(lent))
    assert gone.takes_over[new.members[0]] == (web.members[0],)
    _, _, still = settle(borrowing(new, port), LeaseClaim(web, nic(), NONE), lender, records=recorded(lent))
    assert still.takes_over[new.members[0]] == (web.members[0],)
