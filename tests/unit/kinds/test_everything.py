"""A spec with every field of every kind, all the way to what hosts should have."""

from __future__ import annotations

import dataclasses
import random
import typing
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from tests.unit.kinds.building import GIB, at, host, site_of
from tests.unit.kinds.forms import misfits

from stead.blueprint.model import Blueprint
from stead.blueprint.settle import settle
from stead.core.kind import Scope
from stead.core.observed import StoragePool
from stead.core.recorded import Record, Recorded
from stead.kinds import kinds
from stead.language.desired import Desired, resolve
from stead.language.spec import load
from stead.language.spec.quota import quota_words
from stead.serve import quotas

SPEC = Path(__file__).parent / "everything.yml"
WIRE = "ansible_collections.stead.cloud.plugins.module_utils.wire"
COMPUTE: dict[str, Any] = {
    "physical_networks": {"storage": "eth2"},
    "traits": frozenset({"ssd", "avx2", "kvm"}),
    "devices": {"hugepages:2MiB": 4096, "device:gpu-a100": 2, "iops:default": 1000},
}
SITE = site_of(
    host("controller-1", "controller", pools={}),
    host("network-1", "network", pools={}, physical_networks={"external": "eth1", "storage": "eth2"}),
    host(
        "storage-1",
        "storage",
        object_drivers=frozenset({"swift"}),
        traits=frozenset({"object:swift"}),
        pools={"fast": StoragePool("fast", "nfs", 4096 * GIB, "/srv/fast", shared=True)},
    ),
    *(host(f"compute-{number}", "compute", **COMPUTE) for number in (1, 2, 3)),
)


@pytest.fixture(scope="module")
def desired() -> Desired:
    spec, read = load([SPEC], kinds(), root=SPEC.parent)
    found, told = resolve(spec, key=b"key")
    assert not [*read, *told]
    return found


def _settled(desired: Desired, recorded: Recorded) -> Blueprint:
    found, told = settle(desired, recorded, SITE, kinds=kinds(), key=b"key")
    assert found is not None, told
    return found


@pytest.fixture(scope="module")
def made(desired: Desired) -> Blueprint:
    return _settled(desired, Recorded(site="site"))


def _records(made: Blueprint) -> dict[Any, Record]:
    return {
        address: Record(address=address, leases=one.leases, host=one.host, wants=one.wants)
        for address, one in made.resources.items()
    }


def _records_of(model: Any) -> Iterator[Any]:
    """A model and every record inside it."""
    yield model
    for hint in typing.get_type_hints(model).values():
        for part in _parts(hint):
            if dataclasses.is_dataclass(part):
                yield from _records_of(part)


def _parts(hint: Any) -> Iterator[Any]:
    yield hint
    for part in get_args(hint):
        yield from _parts(part)


def _words(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from map(str, node)
        for below in node.values():
            yield from _words(below)
    elif isinstance(node, list):
        for below in node:
            yield from _words(below)


@pytest.mark.parametrize("plural", sorted(kinds()))
def test_the_spec_has_every_field(plural: str) -> None:
    written = set(_words(yaml.safe_load(SPEC.read_text())))
    fields = {
        field.name.rstrip("_") for model in _records_of(kinds()[plural].model) for field in dataclasses.fields(model)
    }
    assert fields - written == set()


@pytest.mark.parametrize("plural", sorted(kinds()))
def test_what_a_kind_counts_is_what_a_quota_can_limit(plural: str, desired: Desired) -> None:
    kind = kinds()[plural]
    counted = {word for block in desired.of_kind(plural) for word in kind.counts(block, desired)}
    assert counted == set(kind.quota)
    assert (plural in kind.quota) == (kind.scope is not Scope.SITE and plural != "flavors")


def test_kinds_agree_on_a_word_that_several_count() -> None:
    for word, one in quota_words(kinds()).items():
        assert {kind.quota[word] for kind in kinds().values() if word in kind.quota} == {one}


@pytest.mark.parametrize("table", [quotas.COMPUTE, quotas.NETWORK, quotas.VOLUME])
def test_openstacks_limits_are_words_of_kinds(table: quotas.Table) -> None:
    """What is counted in bytes is told in a unit of theirs."""
    words = quota_words(kinds())
    assert {one.field: one.unit > 1 for one in table.values()} == {
        one.field: words[one.field].size for one in table.values()
    }


def test_the_spec_has_every_word_of_a_quota() -> None:
    assert set(quota_words(kinds())) <= set(_words(yaml.safe_load(SPEC.read_text())))


def test_every_resource_is_somewhere(made: Blueprint) -> None:
    for address, one in made.resources.items():
        assert one.wants, address


def _texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Texts of a want with the field they are in; keys as well."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield f"{path} (key)", key
            yield from _texts(one, key)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one, path)


LINES = {"user_data", "vendor_data", "network_data", "meta_data", "network_config", "ignition", "combustion"}


def test_no_text_of_a_want_is_two_lines(made: Blueprint) -> None:
    """Save what is for the guest: elsewhere it might become a line of a file on the host."""
    found = {
        f"{address.kind}: {field}"
        for address, one in made.resources.items()
        for want in one.wants.values()
        for field, text in _texts(want.fields())
        if not text.isprintable() and field not in LINES
    }
    assert not found


def test_what_is_settled_stays(desired: Desired, made: Blueprint) -> None:
    again = _settled(desired, Recorded(site="site", resources=_records(made)))
    assert {address: one.wants for address, one in again.resources.items()} == {
        address: one.wants for address, one in made.resources.items()
    }


def test_the_order_of_blocks_does_not_matter(desired: Desired, made: Blueprint) -> None:
    blocks = list(desired.blocks)
    random.Random(1).shuffle(blocks)  # noqa: S311 - any order will do
    shuffled = _settled(replace(desired, blocks=tuple(blocks)), Recorded(site="site"))
    for address, one in made.resources.items():
        assert shuffled.resources[address].wants == one.wants, address


def test_what_is_as_it_should_be_differs_in_nothing(made: Blueprint) -> None:
    for address, one in made.resources.items():
        compare = import_module(f"{WIRE}.{kinds()[address.kind].name}").compare
        for want in one.wants.values():
            assert compare(want.fields(), want.fields()) == []


def test_members_of_a_counted_network_have_spaces_of_their_own(made: Blueprint) -> None:
    gateways = {
        made.resources[at(f"acme/routers/inner[{index}]")].leases[f"interfaces.many-{index}.v4"] for index in range(3)
    }
    assert gateways == {"10.40.0.1"}
    numbers = {made.resources[at(f"acme/networks/many[{index}]")].leases["vni"] for index in range(3)}
    assert len(numbers) == 3


def test_no_want_is_larger_than_it_has_to_be(made: Blueprint) -> None:
    for address, one in made.resources.items():
        for want in one.wants.values():
            assert len(want.own) < 1000, address


def _form(kind: str) -> Any:
    """The TypedDict of a kind's wants, which host code is typed by; nothing for what no host has."""
    name = "".join(word.title() for word in kinds()[kind].name.split("_")) + "Want"
    return getattr(import_module(f"{WIRE}.{kinds()[kind].name}"), name, None)


def test_wants_have_the_form_that_host_code_expects(made: Blueprint) -> None:
    found = {
        said
        for address, one in made.resources.items()
        for host_, want in one.wants.items()
        if host_
        for said in misfits(want.fields(), _form(address.kind), address.kind)
    }
    assert not found


@pytest.mark.parametrize("plural", sorted(kinds()))
def test_every_field_of_a_want_says_what_changing_it_takes(plural: str, made: Blueprint) -> None:
    """There is no default: a field whose effect nobody wrote down fails here."""
    written = {name for address, one in made.resources.items() if address.kind == plural
               for want in one.wants.values() for name in want.fields()}  # fmt: skip
    known = set(typing.get_type_hints(_form(plural))) if _form(plural) else set()
    assert {name.partition(".")[0] for name in kinds()[plural].effects} == written | known


def test_every_fact_that_expressions_see_is_described(tmp_path: Path, desired: Desired) -> None:
    lines = []
    for block in desired.blocks:
        family = f"projects['{block.project}'].{block.kind}" if block.project else block.kind
        member = block.members[0]
        key = f"[{member.key!r}]" if member.key is not None else ""
        if block.kind != "projects":
            lines.append(
                f"  {block.kind}.{block.name}.{member.key}: \"{{{{ {family}['{block.name}']{key} | list }}}}\""
            )
    text = SPEC.read_text().partition("\noutputs:")[0]
    (tmp_path / "stead.yml").write_text("\n".join([text, "outputs:", *lines, ""]))
    spec, read = load([tmp_path / "stead.yml"], kinds(), root=SPEC.parent)
    again, told = resolve(spec, key=b"key")
    assert [*read, *told] == []
    seen: dict[str, set[str]] = {}
    for name, value in _settled(again, Recorded(site="site")).outputs.items():
        seen.setdefault(name.partition(".")[0], set()).update(value)
    fields = {field.name for field in dataclasses.fields(kinds()["flavors"].model)}
    described = {plural: set(kind.seen) for plural, kind in kinds().items() if plural in seen}
    described["flavors"] |= fields - {"description"}
    assert seen == described
