"""What a memory gives is what reading gives: after any edits of documents and files, to the letter."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stead.core.diagnostics import Diagnostic, has_errors
from stead.core.observed import Host, Observed
from stead.core.recorded import NOTHING
from stead.kinds import kinds
from stead.language.desired import Desired, resolve
from stead.language.desired.remembered import SpecMemory
from stead.language.spec import Stored, load
from stead.language.spec.stored import LiteralNodes
from stead.plan.file import to_bytes
from stead.plan.planner import Inputs, make_plan

KEY = b"k" * 32
SITE = {
    "stead": ["stead: 1"],
    "profiles": ["profiles: {base: {protect: true}}", "profiles: {base: {labels: {a: b}}}", "profiles: {}"],
    "images": ["images: {tiny: {source: /srv/tiny.qcow2}}"],
    "flavors": [
        "flavors: {small: {vcpus: 1, memory: 256MiB, disk: 1GiB}, large: {vcpus: 2, memory: 1GiB, disk: 1GiB}}",
        "flavors: {small: {vcpus: 2, memory: 256MiB, disk: 1GiB}, large: {vcpus: 2, memory: 1GiB, disk: 1GiB}}",
        "flavors: {small: {vcpus: 1, memory: 256MiB, disk: 1GiB}}",
    ],
    "networks": [
        "networks: {wide: {subnets: {v4: {cidr: 10.9.0.0/16}}}}",
        "networks: {}",
        "networks: {app: {subnets: {v4: {cidr: 10.9.0.0/16}}}, wide: {subnets: {v4: {cidr: 10.8.0.0/16}}}}",
    ],
    "grants": [
        "grants: {}",
        "grants: {acme: {priority: 5}}",
        "grants: {acme: {priority: 5, hooks: [notify], image_sources: [/srv/]}}",
    ],
    "site": [
        "site: {}",
        "site: {hooks: {notify: {playbook: hooks/a.yml}}}",
        "site: {hooks: {notify: {playbook: hooks/b.yml}}, quota: {instances: 4}}",
    ],
    "projects": [
        "projects: {}",
        "projects: {blue: {instances: {x: {flavor: small, image: tiny, hostname: '{{ project }}', networks: [app]}}}}",
        "projects: {blue: {instances: {x: {count: 2, flavor: small, image: tiny}, y: {image: tiny, depends_on: [x]}}}}",
    ],
}
SERVER: dict[str, Any] = {"flavor": "small", "image": "tiny", "networks": [{"network": "app"}]}
SERVERS: list[dict[str, Any] | None] = [
    None,
    SERVER,
    {**SERVER, "flavor": "large"},
    {**SERVER, "networks": [{"network": "wide"}]},
    {**SERVER, "networks": [{"network": "app"}, {"network": "wide"}]},
    {**SERVER, "priority": 5},
    {**SERVER, "protect": True},
    {**SERVER, "protect": 1},
    {**SERVER, "labels": {"a": "{{ index }}", "b": "1"}},
    {**SERVER, "labels": {"b": "1", "a": "{{ index }}"}},
    {**SERVER, "labels": {"a": 1}},
    {**SERVER, "display_name": "Web {{ vars.x }}"},
    {**SERVER, "volumes": ["data"]},
    {**SERVER, "volumes": ["data[*]"]},
    {**SERVER, "when": False},
    {**SERVER, "profile": "base"},
    {**SERVER, "depends_on": ["volumes/data"]},
    {**SERVER, "hooks": [{"playbook": "notify", "when": "after"}]},
    {**SERVER, "security_groups": ["web"]},
    {**SERVER, "count": 2},
    {**SERVER, "flavour": "small"},
    {"flavor": {"vcpus": 1, "memory": "256MiB", "disk": "1GiB"}, "image": "tiny", "networks": []},
]
OTHERS: dict[str, list[dict[str, Any]]] = {
    "networks": [{"app": {"subnets": {"v4": {"cidr": "10.0.0.0/16"}}}}, {}, {"app": {}}],
    "volumes": [
        {},
        {"data": {"size": "1GiB"}},
        {"data": {"size": "2GiB"}},
        {"data": {"size": "1GiB", "count": 2}},
        {"data": {"size": "1GiB", "count": 3}},
        {"data": {"size": "1GiB", "for_each": {"p": 1, "q": 2}}},
        {"data": {"size": "1GiB", "for_each": {"q": 2, "p": 1}}},
        {"data": {"size": "1GiB", "count": 0}},
        {"data": {"size": "1GiB", "when": False}},
        {"data": {"size": "1GiB"}, "more": {}},
    ],
    "security_groups": [{}, {"web": {"ingress": [{"protocol": "tcp", "ports": 80}]}}, {"web": {}, "default": {}}],
    "project": [{}, {"quota": {"instances": 2}}, {"members": ["ada"]}],
}
HOSTS = {name: Host(name=name, roles=frozenset({"compute", "network"}), vcpus=64, memory=1 << 38) for name in "ab"}


@st.composite
def edits(draw: st.DrawFn) -> list[tuple[str, str, Any]]:
    server = st.tuples(st.just("instances"), st.sampled_from("abcd"), st.sampled_from(SERVERS))
    other = st.sampled_from(sorted(OTHERS)).flatmap(
        lambda section: st.tuples(st.just("section"), st.just(section), st.sampled_from(OTHERS[section]))
    )
    site = st.sampled_from(sorted(SITE)).flatmap(
        lambda section: st.tuples(st.just("site"), st.just(section), st.sampled_from(SITE[section]))
    )
    return draw(st.lists(st.one_of(server, server, other, site), min_size=1, max_size=12))


def edited(content: dict[str, Any], one: tuple[str, str, Any]) -> dict[str, Any]:
    what, name, value = one
    if what == "section":
        return {**content, name: value}
    servers = {key: said for key, said in content["instances"].items() if key != name}
    return {**content, "instances": servers if value is None else {**servers, name: value}}


Read = tuple[Desired, list[Diagnostic]]


def reader(file: Path) -> Callable[[dict[str, Any], SpecMemory | None], Read]:
    def read(content: dict[str, Any], memory: SpecMemory | None) -> Read:
        stored = Stored(documents={"acme": content}, nodes=memory.nodes if memory is not None else LiteralNodes())
        parsed = memory.files if memory is not None else None
        spec, found = load([file], kinds(), stored=stored, root=file.parent, parsed=parsed)
        desired, more = resolve(spec, key=KEY, memory=memory)
        return desired, [*found, *more]

    return read


def told(read: Read) -> list[str]:
    """All that it says, in its order. Texts tell `1` from `true`."""
    desired, found = read
    blocks = [
        (one.kind, one.project, one.name, one.model, one.settings, one.members, one.refs, one.each, one.place())
        for one in desired.blocks
    ]
    rest = (desired.empty, desired.moved, desired.forget, desired.grants, desired.site, desired.digest)
    return [*map(repr, blocks), *map(repr, rest), *map(repr, desired.by_address), *map(repr, found)]


@pytest.fixture
def read(tmp_path: Path) -> Callable[[dict[str, Any], SpecMemory | None], Read]:
    file = tmp_path / "stead.yml"
    file.write_text("\n".join(texts[0] for texts in SITE.values()) + "\n", encoding="utf-8")
    return reader(file)


def test_whatever_comes_after_whatever(read: Callable[[dict[str, Any], SpecMemory | None], Read]) -> None:
    """A server of each sort, as what stands around it changes; and each sort after each."""
    memory = SpecMemory()
    content: dict[str, Any] = {"networks": OTHERS["networks"][0], "instances": {}}
    around = [("section", section, one) for section, every in sorted(OTHERS.items()) for one in (*every, every[0])]
    servers = [("instances", "a", one) for one in SERVERS]
    each_after_each = [one for first in servers for second in servers for one in (first, second)]
    for one in (*(step for server in servers for step in (server, *around)), *each_after_each):
        content = edited(content, one)
        assert told(read(content, memory)) == told(read(content, None))


@settings(max_examples=60, deadline=None)
@given(edits())
def test_a_spec_is_read_alike_with_a_memory_and_without(some: list[tuple[str, str, Any]]) -> None:
    memory = SpecMemory()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "stead.yml"
        read = reader(file)
        site = {section: texts[0] for section, texts in SITE.items()}
        content: dict[str, Any] = {"networks": OTHERS["networks"][0], "instances": {"a": SERVER, "b": SERVER}}
        for one in some:
            if one[0] == "site":
                site[one[1]] = one[2]
            else:
                content = edited(content, one)
            file.write_text("\n".join(site.values()) + "\n", encoding="utf-8")
            with_it, without = read(content, memory), read(content, None)
            assert told(with_it) == told(without)
        assert planned(with_it) == planned(without)


def planned(read: Read) -> bytes:
    desired, found = read
    if has_errors(found):
        return b""
    inputs = Inputs(desired=desired, recorded=NOTHING, observed=Observed(hosts=HOSTS), kinds=kinds(), key=KEY)
    plan = make_plan(inputs)[0].plan
    return to_bytes(plan) if plan is not None else b""


def test_only_what_changed_is_read_again(read: Callable[[dict[str, Any], SpecMemory | None], Read]) -> None:
    """And the project, which is one small thing; and what refers to a kind of which there is another name now."""
    memory = SpecMemory()
    content: dict[str, Any] = {"networks": OTHERS["networks"][0], "instances": {"a": SERVER, "b": SERVER}}
    content["volumes"] = {"data": {"size": "1GiB"}}

    def blocks(content: dict[str, Any]) -> dict[str, Any]:
        desired, found = read(content, memory)
        assert not has_errors(found)
        return {str(block.members[0]): block for block in desired.blocks}

    first = blocks(content)
    second = blocks({**content, "instances": {**content["instances"], "b": {**SERVER, "flavor": "large"}, "c": SERVER}})
    again = {name for name, block in second.items() if first.get(name) is not block}
    assert again == {"projects/acme", "acme/instances/b", "acme/instances/c"}
    third = blocks({**content, "networks": {**content["networks"], "more": {}}})
    assert third["acme/volumes/data"] is first["acme/volumes/data"]
    assert third["acme/instances/a"] is not first["acme/instances/a"]


def test_what_is_gone_is_forgotten(tmp_path: Path) -> None:
    """Projects come and go for years, and their people rename files."""
    memory = SpecMemory()
    for name in "abc":
        file = tmp_path / f"{name}.yml"
        file.write_text("stead: 1\n", encoding="utf-8")
        stored = Stored(documents={name: {"networks": {"app": {}}}}, nodes=memory.nodes)
        load([file], kinds(), stored=stored, root=tmp_path, parsed=memory.files)
    assert len(memory.files._known) == len(memory.nodes._made) == 1
