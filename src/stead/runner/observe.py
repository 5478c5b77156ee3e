"""Asks hosts what they have. A host that does not answer comes back as silent, with why, and delays nobody's answer.

It decides nothing: what hosts say is turned into the values that the planner reads, word for word.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from stead.core.address import Address, parse
from stead.core.observed import Have, Host, HostStatus, KeptDocument, Observed, StoragePool, StoreOrigin
from stead.core.recorded import Recorded
from stead.core.want import NOTHING_KNOWN, Body, Want, canonical, digest
from stead.diff.moving import NO_CERTIFICATES
from stead.drivers import storage
from stead.recovery.rebuild import LedgerEntry, Memory, entry_of
from stead.runner.ansible_process import Played, Playing
from stead.site.abilities import with_abilities

PLAYBOOK = "stead.cloud.observe"
# Seconds for one host to look around: it takes a tenth of one, and twenty when the hypervisors have to be tried.
PATIENCE = 60
# What a Host has when its inventory does not say: then all that works counts.
UNSAID = frozenset({"kvm"})
# One fork is a process of 60 MB on the controller.
MOST_FORKS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one host said, or why it said nothing."""

    host: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""

    @property
    def answered(self) -> bool:
        return not self.why


@dataclass(frozen=True, slots=True, kw_only=True)
class ObserveRequest:
    """`examine` has, for each host, what to examine beyond observing: {"peers": {name: address}, "mtu": 1500};
    `recorded`, entries that its ledger lost.
    """

    inventory: Sequence[Path]
    hosts: Sequence[str]
    afresh: bool = False
    recall: bool = False  # what only a recovery asks for: the key that secrets are sealed with
    strangers: bool = False  # what only `stead import` asks for: all of domains that are not Stead's
    examine: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    recorded: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    arguments: Sequence[str] = ()


def observe_recorded(question: ObserveRequest, recorded: Recorded) -> Mapping[str, Answer]:
    """Hosts that did not tell of all that is recorded there are asked again, with what they are to look for: nothing
    is made anew, let alone given up for lost, because a ledger lost it.
    """
    answers = observe(question)
    lost = _lost(answers, recorded)
    return {**answers, **observe(replace(question, hosts=tuple(lost), recorded=lost))} if lost else answers


def _lost(answers: Mapping[str, Answer], recorded: Recorded) -> dict[str, list[Mapping[str, Any]]]:
    listed = {host: _listed(one.facts) for host, one in answers.items() if one.answered and not one.facts.get("blind")}
    lost: dict[str, list[Mapping[str, Any]]] = {}
    for address, record in recorded.resources.items():
        uuid = record.leases.get("uuid", "")
        for host, want in record.wants.items():
            if host in listed and uuid not in listed[host]:
                entry = {"address": str(address), "uuid": uuid, "kind": address.kind, "digest": want.digest}
                lost.setdefault(host, []).append(entry | {"want": want.fields()})
    return lost


def _listed(facts: Mapping[str, Any]) -> frozenset[str]:
    entries = (entry for some in facts.get("resources", {}).values() for entry in some)
    return frozenset(entry["uuid"] for entry in entries if not entry.get("lost") and not entry.get("begun"))


def observe(question: ObserveRequest) -> Mapping[str, Answer]:
    """Every host of the question, in its order."""
    if not question.hosts:
        return {}
    with tempfile.TemporaryDirectory(prefix="stead-facts-") as name:  # 0700: the ledger's wants are private
        folder = Path(name)
        with Playing(_arguments(question, folder), folder / "ansible.log") as playing:
            played = playing.wait()
        return {host: _answer(host, folder, played) for host in question.hosts}


def _arguments(question: ObserveRequest, folder: Path) -> list[str]:
    variables: dict[str, Any] = {
        "stead_hosts": list(question.hosts),
        "stead_facts": str(folder),
        "stead_afresh": question.afresh,
        "stead_patience": PATIENCE,
        "stead_recall": question.recall,
        "stead_strangers": question.strangers,
    }
    if question.examine:
        variables["stead_examine"] = {host: dict(what) for host, what in question.examine.items()}
    for host, entries in question.recorded.items():
        (folder / f"{host}.recorded").write_text(json.dumps(entries), encoding="utf-8")
    asked = (
        folder / "asked"
    )  # a file: names of a thousand hosts are too long for a command line; a host may be called so
    asked.write_text(json.dumps(variables), encoding="utf-8")
    inventories = [word for source in question.inventory for word in ("--inventory", str(source.resolve()))]
    forks = str(min(len(question.hosts), MOST_FORKS))
    return [*inventories, "--extra-vars", f"@{asked}", "--forks", forks, *question.arguments, PLAYBOOK]


def _answer(host: str, folder: Path, played: Played) -> Answer:
    try:
        told = json.loads((folder / f"{host}.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Answer(host=host, why=f"Ansible ended with status {played.status}: {played.last_words[-300:]}")
    if "why" in told:
        return Answer(host=host, why=told["why"].strip() or "it does not answer")
    return Answer(host=host, facts=told)


def to_observed(
    answers: Mapping[str, Answer], hosts: Mapping[str, Host], wants: Mapping[str, Want] = NOTHING_KNOWN
) -> Observed:
    """The planner's view: the inventory's word, completed by the host's own; and what is there of each resource."""
    known = {name: with_abilities(completed(host, answers.get(name))) for name, host in hosts.items()}
    haves: dict[Address, dict[str, Have]] = {}
    moved = _moved(answers)
    for name in sorted(answers):
        for entry in _entries(answers[name]):
            address = parse(entry["address"])
            left = entry.get("moving") and str(entry["uuid"]) in moved
            if address is not None and not left and (entry.get("begun") or not entry.get("gone")):
                haves.setdefault(address, {})[name] = _have(entry, wants)
    parts = [canonical({"host": name, "facts": _lasting(answers[name])}) for name in sorted(answers)]
    said = {name: answer.facts for name, answer in sorted(answers.items()) if answer.answered}
    origins = {name: StoreOrigin(**facts["origin"]) for name, facts in said.items() if facts.get("origin")}
    unread = {name: tuple(facts["unread"]) for name, facts in said.items() if facts.get("unread")}
    documents = {name: facts["documents"] for name, facts in said.items() if facts.get("documents")}
    return Observed(
        hosts=known,
        haves=haves,
        digest=digest(*parts),
        origins=origins,
        unread=unread,
        documents=documents,
        strangers={
            name: {one["uuid"]: one for one in facts.get("foreign", ()) if "uuid" in one}
            for name, facts in said.items()
        },
    )


def _entries(answer: Answer) -> Iterator[Mapping[str, Any]]:
    return (entry for entries in answer.facts.get("resources", {}).values() for entry in entries)


def _moved(answers: Mapping[str, Answer]) -> frozenset[str]:
    """UUIDs of those that go on where they moved to. Where they came from, what is left of them is paused."""
    told = [entry for answer in answers.values() for entry in _entries(answer)]
    paused = {str(entry["uuid"]) for entry in told if entry.get("moving")}
    there = {str(one["uuid"]) for one in told if not (one.get("moving") or one.get("begun") or one.get("gone"))}
    return frozenset(paused & there)


def to_memories(answers: Mapping[str, Answer]) -> dict[str, Memory]:
    """The view of `stead recover`: all that a host remembers, of what is there and of what is not."""
    return {name: _memory(answer) for name, answer in answers.items()}


def _memory(answer: Answer) -> Memory:
    facts = answer.facts
    if not answer.answered:
        return Memory(host=answer.host, silent=answer.why)
    entries, unread = list[LedgerEntry](), list[str](facts.get("unread", ()))
    for told in (one for some in facts.get("resources", {}).values() for one in some):
        entry = entry_of(answer.host, {**told, **told.get("told", {})})
        if entry is None:
            unread.append(f"its entry {told.get('uuid')} has no address that can be read: {told.get('address')!r}.")
        else:
            entries.append(entry)
    origin = StoreOrigin(**facts["origin"]) if facts.get("origin") else None
    return Memory(
        host=answer.host,
        origin=origin,
        entries=tuple(entries),
        unread=tuple(unread),
        key=facts.get("key", ""),
        documents={project: KeptDocument(**one) for project, one in facts.get("kept", {}).items()},
    )


def _have(entry: Mapping[str, Any], wants: Mapping[str, Want]) -> Have:
    """What is there is what was wanted, save where it was seen to be otherwise."""
    made_from, seen = str(entry.get("made_from", entry.get("digest", ""))), entry.get("seen")
    untouched = made_from and not seen  # the digest that it was made from is its own
    want = wants.get(made_from) if untouched else None
    if want is None:
        want = Want.of(Body.of({**entry["want"], **(seen or {})}))
        want = Want(want.body, want.own, made_from) if untouched else want
    flags = {name: bool(entry.get(name)) for name in ("begun", "lost", "awaited")}
    # What is only on its way here is whole where it comes from: of that, nothing can be lost here.
    there = not (entry.get("gone") or (entry.get("begun") and entry.get("came_from")))
    return Have(want, made_from, str(entry["uuid"]), there=there, **flags)


def _lasting(answer: Answer) -> dict[str, Any]:
    """What a plan depends on: not the time, nor how much memory happens to be free."""
    names = ("resources", "traits", "links", "foreign", "origin")
    return {name: answer.facts.get(name) for name in names} | {"why": bool(answer.why)}


def completed(host: Host, answer: Answer | None) -> Host:
    if answer is None:
        return host
    if not answer.answered:
        return replace(host, state=HostStatus.DOWN, why=answer.why)
    facts = answer.facts
    if facts.get("blind"):  # its guests may well run: as little is known of them as of a silent host's
        return replace(host, state=HostStatus.DOWN, why=facts["blind"], blind=True)
    capacity = facts["capacity"]
    computes, stores = "compute" in host.roles, "storage" in host.roles
    works = frozenset(name for name, why in facts["traits"]["hypervisors"].items() if not why)
    return replace(
        host,
        vcpus=host.vcpus or (capacity["vcpus"] if computes else 0),
        memory=host.memory or (capacity["memory"] if computes else 0),
        pools=host.pools or (_pools(capacity["pools"]) if computes or stores else {}),
        hypervisors=works if host.hypervisors == UNSAID else works & host.hypervisors,
        traits=host.traits | traits(facts),
        programs=facts["system"].get("versions", {}),
        architecture=facts["system"]["architecture"] or host.architecture,
    )


def traits(facts: Mapping[str, Any]) -> frozenset[str]:
    own = facts["traits"]
    found = {*own["kernel"], *own["firmware"], *(f"cpu:{one}" for one in own["cpu"]["features"])}
    if own["kernel"]:  # it was asked
        found |= {
            f"without:{one}" for one, by in (("vlan", "vlan"), ("bandwidth", "shaping")) if by not in own["kernel"]
        }
        found |= {"without:uefi"} - {f"without:{one}" for one in own["firmware"]}
        found |= set() if own["tpm"] else {"without:tpm"}
    found |= set() if own.get("certificates") else {NO_CERTIFICATES}
    return frozenset(found | ({"tpm"} if own["tpm"] else set()))


def _pools(pools: Mapping[str, Mapping[str, Any]]) -> dict[str, StoragePool]:
    return {
        name: storage.pool(name, one["type"], one["size"], one["path"]) for name, one in pools.items() if one["size"]
    }
