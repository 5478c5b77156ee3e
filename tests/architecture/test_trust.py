"""Who writes a file owns what it may say: every text of a model is of a checked class, and every field is judged.

A text that reaches a host becomes a line of some file there; one with a line break in it becomes two.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, get_args, get_origin

import pytest

from stead.core.fields import Anything, Form, Granted, Limits, Text
from stead.kinds import kinds
from stead.language.desired import Site
from stead.language.desired.scope import Nothing
from stead.language.document import Mapping as Map
from stead.language.document import Scalar, Sequence
from stead.language.reading import Reading, reader_of
from stead.language.reading.readers import FAILED
from stead.language.spec.grants import Grants
from stead.language.spec.settings import Common

MODELS = {**{kind.plural: kind.model for kind in kinds().values()}, "common": Common, "site": Site, "grants": Grants}
BREAK = "a\nconf-script=/tmp/x"

# Texts that may have lines: they are for people, or for the guest, or are written as JSON or XML where they go.
LINES = {
    "description", "certificate", "user_data", "vendor_data", "config", "combustion", "public_key",
    "instances.properties", "images.properties",
}  # fmt: skip
# Any YAML value, written as JSON or YAML where it goes, or only remembered.
ANYTHING = {"network_data", "meta_data", "replace_when", "vars"}

# What a project file may say of its own resources: it stays within the project. A field that is new fails the test
# below until it is here, has `Granted`, or is told by the kind's `reaches`.
WITHIN: dict[str, str] = {
    "buckets": "store quota objects versioning cors website description",
    "flavors": "vcpus memory max_vcpus max_memory disk swap ephemeral iops throughput bandwidth topology traits "
    "forbidden_traits preferred_traits description",
    "floating_ips": "network instance port load_balancer inside forwards description",
    "images": "format compression size min_disk min_memory architecture os user firmware machine disk_bus nic_model "
    "traits properties description",
    "instances": "flavor image boot_volume cdrom volumes security_groups keypairs cloud_init state autostart zone "
    "config_drive ignition traits forbidden_traits preferred_traits spread together policy hypervisor architecture cpu "
    "machine firmware boot graphics agent tpm watchdog properties description disk wait migration",
    "keypairs": "public_key description",
    "load_balancers": "network listeners security_groups ha enabled description",
    "networks": "driver mtu subnets external shared domain ha description",
    "object_stores": "driver secret replicas zones port tls url api devices mounted part_power description",
    "ports": "subnets enabled description",
    "routers": "routes enabled ha description",
    "security_groups": "ingress egress stateful description",
    "snapshots": "volume instance freeze description",
    "users": "login admin enabled email description",
    "volumes": "size from_ format qos shareable zone description",
    "common": "labels display_name tags protect ignore depends_on replace_when create_before_destroy",
}
# Told by the kind's `reaches`, or by `trust` itself.
TOLD: dict[str, str] = {
    "floating_ips": "address",
    "images": "source checksum",
    "instances": "networks hostname",
    "load_balancers": "address",
    "ports": "network address mac security_groups port_security allowed_addresses",
    "networks": "type physical vlan",
    "routers": "networks external reach forwards",
    "common": "hooks rollout",
}


def hints(model: Any) -> dict[str, Any]:
    found = typing.get_type_hints(model, include_extras=True)
    return {field: hint for field, hint in found.items() if get_origin(hint) is not typing.ClassVar}


def leaves(hint: Any, form: Form | None = None) -> Iterator[tuple[str, Form | None]]:
    """Every text in an annotation, keys of maps too, with the form that reads it."""
    origin = get_origin(hint)
    if origin is Annotated:
        base, *notes = get_args(hint)
        own = next((note for note in notes if isinstance(note, Form)), form)
        if not isinstance(own, Limits):  # their keys are words of the kinds, and their values numbers
            yield from leaves(base, own)
    elif origin is not None and issubclass(origin if isinstance(origin, type) else object, Mapping):
        key, value = get_args(hint)
        yield from (("key", own) for _, own in leaves(key, None))
        yield from leaves(value, form)
    elif origin is typing.Literal:
        return
    elif hint is str:
        yield "text", form
    else:
        for one in get_args(hint):
            yield from leaves(one, form)


def models(model: Any) -> Iterator[type[Any]]:
    yield model
    for hint in hints(model).values():
        yield from (below for one in records(hint) for below in models(one))


def records(hint: Any) -> Iterator[type[Any]]:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        yield hint
    for one in get_args(hint):
        if not isinstance(one, str | Form):
            yield from records(one)


def checked(form: Form | None) -> bool:
    """A name, an address, a number of something; or a text that must look like something."""
    return form is not None and not (isinstance(form, Text) and not form.pattern)


@pytest.mark.parametrize("name", MODELS)
def test_every_text_of_a_model_is_of_a_checked_class(name: str) -> None:
    bare = set()
    for model in set(models(MODELS[name])):
        for field, hint in hints(model).items():
            for what, form in leaves(hint):
                free = field in LINES or f"{name}.{field}" in LINES or isinstance(form, Anything) or field in ANYTHING
                if not checked(form) and not (what == "text" and free):
                    bare.add(f"{model.__name__}.{field} ({what})")
    assert not bare, "say with a form what it must look like; a line break in it would end a line of a file on a host"


@pytest.mark.parametrize("name", MODELS)
def test_no_field_takes_a_line_break_or_a_control_character(name: str) -> None:
    """As a text, as a text in a list, as a key: whatever the field is."""
    taken = set()
    for model in set(models(MODELS[name])):
        for field, hint in hints(model).items():
            free = field in LINES or f"{name}.{field}" in LINES or field in ANYTHING
            for text in ("a\x07b", "a\x1b[2Jb", "a\u202eb") if free else (BREAK, "a\x07b", "a\u2028b"):
                if any(read(hint, text)) and not (free and field in ANYTHING):
                    taken.add(f"{model.__name__}.{field}: {text!r}")
    assert not taken


def read(hint: Any, text: str) -> Iterator[bool]:
    """Whether it is taken: alone, as an item, as a key and as a value of a map."""
    reader = reader_of(hint)
    scalar = Scalar("x.yml", 1, 1, text)
    item, key, value = Sequence("x.yml", 1, 1), Map("x.yml", 1, 1), Map("x.yml", 1, 1)
    item.items = [scalar]
    key.entries = {text: Scalar("x.yml", 1, 1, "1", plain=True)}
    value.entries = {"a": scalar}
    for node in (scalar, item, key, value):
        reading = Reading(Nothing())
        yield reader(node, reading, "") is not FAILED


@pytest.mark.parametrize("name", sorted(set(kinds()) - {"projects"}))
def test_every_field_is_judged_for_project_files(name: str) -> None:
    """Within the project, beyond it by a grant, or told by the kind. Fields of projects are the site's to say."""
    assert not set(unjudged(kinds()[name].model, name)), "does it reach beyond its project? See `Granted` and `reaches`"


def test_every_common_field_is_judged_for_project_files() -> None:
    assert not set(unjudged(Common, "common"))


def unjudged(model: Any, name: str) -> Iterator[str]:
    known = {*WITHIN.get(name, "").split(), *TOLD.get(name, "").split()}
    for field, hint in hints(model).items():
        granted = get_origin(hint) is Annotated and any(isinstance(note, Granted) for note in get_args(hint))
        if granted == (field in known):
            yield field
    yield from known - set(hints(model))
