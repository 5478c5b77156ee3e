"""Effects are closed: every field of every want has one by name, in the kind or in the network's driver.

That no field is named which no want has, and that all fields of wants that are only recorded are named, is tested where
wants with every field are made (`tests/unit/kinds/test_everything.py`).
"""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest

from stead.core.effect import IN_PLACE, PARTS, REPLACED, UNNAMED, Effect, effect_named
from stead.core.kind import Kind
from stead.drivers.network import all_of_them
from stead.kinds import kinds


def _form(plural: str) -> Any:
    """The TypedDict of a kind's wants; nothing for what no host has."""
    kind = kinds()[plural]
    name = "".join(word.title() for word in kind.name.split("_")) + "Want"
    return getattr(import_module(kind.wire_module), name, None)


def _below(form: Any) -> Mapping[str, Any]:
    """The fields of a record, `*` for the keys of a map, nothing in what has no parts with names."""
    if typing.is_typeddict(form):
        return typing.get_type_hints(form)
    return {"*": get_args(form)[1]} if get_origin(form) is dict else {}


def _unnamed(effects: Mapping[str, Effect], form: Any, stem: str = "") -> Iterator[str]:
    """Fields that no name speaks for. Where a name is given below one, all are."""
    for word, part in _below(form).items():
        path = stem + word
        if path not in effects:
            yield path
        elif any(name.startswith(f"{path}.") for name in effects):
            yield from _unnamed(effects, part, f"{path}.")


def _unfounded(effects: Mapping[str, Effect], form: Any) -> Iterator[str]:
    """Names of fields that no want has."""
    for name in effects:
        part = form
        for word in name.split("."):
            if word not in (below := _below(part)):
                yield name
                break
            part = below[word]


WITH_FORM = sorted(plural for plural in kinds() if _form(plural))


@pytest.mark.parametrize("plural", WITH_FORM)
def test_every_field_of_a_want_has_an_effect_by_name(plural: str) -> None:
    effects = kinds()[plural].effects
    assert sorted(_unnamed(effects, _form(plural))) == []
    recorded = {name for name in effects if name.partition(".")[0] not in typing.get_type_hints(_form(plural))}
    assert sorted(set(_unfounded(effects, _form(plural))) - recorded) == []


@pytest.mark.parametrize("name", sorted(all_of_them()))
def test_what_a_driver_names_is_a_field_of_networks(name: str) -> None:
    assert set(all_of_them()[name].effects) <= set(kinds()["networks"].effects)


HOST = Path(__file__).parents[2] / "collections/ansible_collections/stead/cloud/plugins/module_utils/host"
TOLD_BY_HOSTS = {
    "networks": (
        "net/linuxbridge/networks.py",
        "net/linuxbridge/forwarding.py",
        "net/ovn/networks.py",
        "observe/looking.py",
    ),
    "routers": (
        "net/linuxbridge/routers.py",
        "net/linuxbridge/uplinks.py",
        "net/ovn/routers.py",
        "observe/looking.py",
    ),
    "floating_ips": ("net/linuxbridge/floating_ips.py", "net/ovn/floating_ips.py", "observe/looking.py"),
    "load_balancers": ("net/linuxbridge/load_balancers.py", "observe/looking.py"),
    "security_groups": ("net/linuxbridge/security_groups.py", "observe/looking.py"),
    "object_stores": ("object/swift/stores.py", "observe/looking.py"),
}


@pytest.mark.parametrize("plural", sorted(TOLD_BY_HOSTS))
def test_what_hosts_find_altered_has_an_effect_by_name(plural: str) -> None:
    """Else no plan would mend it: the change would count as one of which nobody knows what it takes."""
    kind = kinds()[plural]
    text = "".join((HOST / name).read_text(encoding="utf-8") for name in TOLD_BY_HOSTS[plural])
    parts = set(re.findall(r"\b(?:part|differs)\(\"([a-z_]+)\"", text))
    assert len(parts) > 2
    assert sorted(part for part in parts if kind.effect(part, "altered", None, {}, {}) is UNNAMED) == []


def test_every_host_file_that_tells_parts_is_looked_at() -> None:
    telling = {
        str(path.relative_to(HOST))
        for path in HOST.rglob("*.py")
        if re.search(r"\b(?:part|differs)\(\"", path.read_text(encoding="utf-8"))
    }
    assert telling == {name for names in TOLD_BY_HOSTS.values() for name in names}


def test_the_test_sees_a_field_that_nobody_named() -> None:
    effects = dict(kinds()["instances"].effects)
    for name in ("autostart", "root.pool.path", "nics.*.mtu"):
        del effects[name]
    assert sorted(_unnamed(effects, _form("instances"))) == ["autostart", "nics.*.mtu", "root.pool.path"]


NAMES = {
    "labels": IN_PLACE,
    "pool": IN_PLACE,
    "pool.name": REPLACED,
    "nics": IN_PLACE,
    "nics.*": IN_PLACE,
    "nics.*.mtu": REPLACED,
}


@pytest.mark.parametrize(
    ("path", "effect"),
    [
        ("labels", IN_PLACE),
        ("labels.os.name", IN_PLACE),
        ("pool", IN_PLACE),
        ("pool.name", REPLACED),
        ("pool.path", None),
        ("nics.app", IN_PLACE),
        ("nics.app.mtu", REPLACED),
        ("nics.app.vlan", None),
        ("numa", None),
    ],
)
def test_a_name_speaks_for_what_is_below_until_one_below_is_given(path: str, effect: Effect | None) -> None:
    assert effect_named(NAMES, path) == effect


@pytest.mark.parametrize("plural", sorted(kinds()))
def test_what_nobody_named_is_taken_for_the_worst(plural: str) -> None:
    assert kinds()[plural].effect("of-a-newer-version", None, 1, {}, {}) is UNNAMED


@pytest.mark.parametrize("kind", list(kinds().values()), ids=lambda kind: kind.plural)
def test_no_part_is_called_as_a_field(kind: Kind) -> None:
    """What hosts find altered of it is mended in place: a field of that name would be, too, whatever its effect."""
    assert not {path.partition(".")[0] for path in kind.effects}.intersection((PARTS, *kind.parts))
