"""Facts become what the planner reads: the inventory has the first word, the host the rest."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from stead.cli.commands.hosts import table
from stead.core.address import Address
from stead.core.observed import Host, HostStatus, StoragePool
from stead.core.recorded import Record, Recorded
from stead.core.value import replace
from stead.core.want import Body, Want
from stead.health.room import row
from stead.runner import observe as observing
from stead.runner.observe import Answer, ObserveRequest, observe_recorded, to_observed

WEB = {"address": "acme/instances/web[0]", "uuid": "u-1", "kind": "instances", "digest": "d" * 32}
FACTS: dict[str, Any] = {
    "system": {"architecture": "x86_64", "prepared": True},
    "capacity": {
        "vcpus": 8,
        "memory": 16 << 30,
        "memory_available": 1,
        "pools": {"default": {"type": "dir", "path": "/p", "size": 1 << 40, "free": 1 << 39}},
    },
    "traits": {
        "hypervisors": {"kvm": "aborts", "qemu": ""},
        "kernel": ["vxlan"],
        "firmware": ["bios", "uefi"],
        "tpm": True,
        "cpu": {"features": ["avx2"]},
    },
    "links": [],
    "foreign": [{"name": "theirs", "vcpus": 1, "memory": 1 << 30, "state": "running"}],
    "resources": {
        "instances": [{**WEB, "want": {"vcpus": 2, "memory": 2 << 30}, "made_from": "d" * 32, "state": "running"}]
    },
}
HOST = Host(name="c1", roles=frozenset({"compute"}))


def observed(facts: dict[str, Any], host: Host = HOST) -> Any:
    return to_observed({"c1": Answer(host="c1", facts=facts)}, {"c1": host})


def changed(**more: Any) -> dict[str, Any]:
    facts = copy.deepcopy(FACTS)
    facts["resources"]["instances"][0].update(more)
    return facts


def test_hardware_completes_the_inventory_and_does_not_overrule_it() -> None:
    assert observed(FACTS).hosts["c1"].vcpus == 8
    said = Host(name="c1", roles=frozenset({"compute"}), vcpus=4)
    assert observed(FACTS, said).hosts["c1"].vcpus == 4


def test_a_host_whose_libvirt_is_silent_is_as_little_known_as_a_silent_host() -> None:
    found = observed({**FACTS, "blind": "libvirt does not answer on this host"})
    assert found.hosts["c1"].state is HostStatus.DOWN
    assert "libvirt does not answer" in found.hosts["c1"].why


def test_only_hypervisors_that_work_count() -> None:
    assert observed(FACTS).hosts["c1"].hypervisors == {"qemu"}
    assert {"vxlan", "uefi", "tpm", "cpu:avx2"} <= observed(FACTS).hosts["c1"].traits


@pytest.mark.parametrize("answer", [Answer(host="c1", facts=FACTS), Answer(host="c1", why="no route"), None])
def test_a_real_host_cannot_what_this_version_cannot_whatever_it_answers(answer: Answer | None) -> None:
    """So that a plan with such a disk or step is refused, and nothing is touched."""
    pools = {"default": StoragePool("default", "dir", 1), "fast": StoragePool("fast", "iscsi", 1)}
    found = to_observed({} if answer is None else {"c1": answer}, {"c1": replace(HOST, pools=pools)}).hosts["c1"]
    assert {"without:root disks in pool fast", "without:devices"} <= found.traits
    assert "without:root disks in pool default" not in found.traits


def test_untouched_resource_has_the_digest_it_was_made_from() -> None:
    have = observed(FACTS).haves[Address("acme", "instances", "web", 0)]["c1"]
    assert (have.want.digest, have.made_from, have.uuid) == ("d" * 32, "d" * 32, "u-1")


def test_what_is_seen_otherwise_wins_and_has_another_digest() -> None:
    have = observed(changed(seen={"vcpus": 3})).haves[Address("acme", "instances", "web", 0)]["c1"]
    assert have.want.fields()["vcpus"] == 3
    assert have.want.digest != "d" * 32


def test_what_is_gone_is_not_there() -> None:
    assert observed(changed(gone=True)).haves == {}


def test_what_the_ledger_lost_is_there_all_the_same() -> None:
    have = observed(changed(lost=True)).haves[Address("acme", "instances", "web", 0)]["c1"]
    assert have.lost


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ({}, False),
        ({"gone": True}, False),  # the ledger has its entry
        ({"lost": True}, True),
        ({"begun": True}, True),
        ({"uuid": "of another"}, True),
    ],
)
def test_a_host_is_asked_again_for_what_is_recorded_and_it_does_not_list(
    monkeypatch: pytest.MonkeyPatch, said: dict[str, Any], asked: bool
) -> None:
    questions = []

    def answer(question: ObserveRequest) -> dict[str, Answer]:
        questions.append(question)
        return {host: Answer(host=host, facts=changed(**said)) for host in question.hosts}

    monkeypatch.setattr(observing, "observe", answer)
    address, want = Address("acme", "instances", "web", 0), Want.of(Body.of({"vcpus": 2}))
    record = Record(address=address, leases={"uuid": "u-1"}, wants={"c1": want, "": want, "silent": want})
    observe_recorded(ObserveRequest(inventory=(), hosts=("c1",)), Recorded(resources={address: record}))
    entry = {"address": str(address), "uuid": "u-1", "kind": "instances", "digest": want.digest, "want": {"vcpus": 2}}
    assert [dict(one.recorded) for one in questions] == [{}, {"c1": [entry]}][: 1 + asked]


@pytest.mark.parametrize("answer", [Answer(host="c1", why="no route"), Answer(host="c1", facts={"blind": "it is"})])
def test_of_what_cannot_be_asked_nothing_is_missed(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> None:
    monkeypatch.setattr(observing, "observe", lambda _question: {"c1": answer})
    record = Record(address=Address("", "images", "x"), leases={"uuid": "u"}, wants={"c1": Want.of(Body.of({}))})
    found = observe_recorded(ObserveRequest(inventory=(), hosts=("c1",)), Recorded(resources={record.address: record}))
    assert found == {"c1": answer}


def test_digest_changes_with_resources_and_not_with_free_memory() -> None:
    busy = copy.deepcopy(FACTS)
    busy["capacity"]["memory_available"] = 2
    assert observed(busy).digest == observed(FACTS).digest
    assert observed(changed(seen={"vcpus": 3})).digest != observed(FACTS).digest


def test_silent_host_is_down_with_its_reason() -> None:
    seen = to_observed({"c1": Answer(host="c1", why="no route")}, {"c1": HOST})
    assert (seen.hosts["c1"].state, seen.hosts["c1"].why) == (HostStatus.DOWN, "no route")


def test_room_counts_promises_and_foreign_guests() -> None:
    one = row(HOST, Answer(host="c1", facts=FACTS))
    assert (one.vcpus.used, one.vcpus.total) == (3, 8)
    assert one.memory.used == 3 << 30
    assert (one.instances, one.running) == (1, 1)


def test_list_names_hosts_that_are_down_and_why() -> None:
    text = table([row(HOST, Answer(host="c1", facts=FACTS)), row(HOST, Answer(host="c1", why="no route"))])
    assert "1 of 2 hosts up, 1 instances running" in text
    assert "no route" in text
    assert "3/8" in text


def test_what_a_move_left_paused_is_a_remnant_where_another_host_runs_it() -> None:
    """Where no other host has it, it is what is there, and goes on."""
    left = changed(moving=True, seen={"state": "paused"})
    there, begun = changed(lost=True), changed(begun=True)
    hosts = {name: replace(HOST, name=name) for name in ("c1", "c2")}
    address = Address("acme", "instances", "web", 0)
    found = [
        to_observed({"c1": Answer(host="c1", facts=left), "c2": Answer(host="c2", facts=other)}, hosts).haves[address]
        for other in (there, begun)
    ]
    assert [sorted(one) for one in found] == [["c2"], ["c1", "c2"]]
    assert found[1]["c1"].want.fields()["state"] == "paused"


def test_of_what_is_only_on_its_way_nothing_is_lost() -> None:
    """It is whole where it comes from, and a half of it is removed without consent."""
    address = Address("acme", "instances", "web", 0)
    begun = [observed(changed(begun=True, **more)).haves[address]["c1"] for more in ({}, {"came_from": "c2"})]
    assert [(one.begun, one.there) for one in begun] == [(True, True), (True, False)]
