"""Whatever field of whatever want changes, the plan tells it in words that a user has written or can guess."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import Any

import pytest
from tests.unit.kinds.test_everything import SITE, SPEC

from stead.blueprint.model import Blueprint
from stead.blueprint.settle import settle
from stead.core.address import Address
from stead.core.recorded import Recorded
from stead.diff.wording import Holders, said
from stead.kinds import kinds
from stead.language.desired import resolve
from stead.language.spec import load

# MACs, UUIDs, digests.
RAW = re.compile(r"([0-9a-f]{2}:){5}[0-9a-f]{2}|[0-9a-f]{8}-[0-9a-f]{4}-|[0-9a-f]{32}|_uuid\b")
# "… changed in the spec" is to follow.
NO_NOUN = re.compile(r"(at|from|in|of|on|reaches|resolves|to)( |$)|.* (at|from|in|of|on|to)$")
VOCABULARY = {field.name.rstrip("_") for kind in kinds().values() for field in dataclasses.fields(kind.model)}


@pytest.fixture(scope="module")
def made() -> Blueprint:
    spec, _ = load([SPEC], kinds(), root=SPEC.parent)
    desired, _ = resolve(spec, key=b"key")
    found, told = settle(desired, Recorded(site="site"), SITE, kinds=kinds(), key=b"key")
    assert found is not None, told
    return found


def _paths(value: Any, stem: str = "") -> Iterator[str]:
    """Of every field, and of every map and list of records, which may come and go as a whole."""
    if stem:
        yield stem
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _paths(one, f"{stem}.{key}" if stem else key)
    elif isinstance(value, list) and all(isinstance(one, dict) for one in value):
        for at, one in enumerate(value):
            yield from _paths(one, f"{stem}.{at}")


def _told(made: Blueprint, plural: str) -> Iterator[tuple[str, str]]:
    holders, words = Holders(Recorded(site="site"), made), kinds()[plural].words
    for address, one in made.resources.items():
        if address.kind == plural:
            for want in one.wants.values():
                yield from ((path, said(path, words, holders, address)) for path in _paths(want.fields()))


@pytest.mark.parametrize("plural", sorted(kinds()))
def test_every_field_of_every_want_is_told_in_words_of_users(made: Blueprint, plural: str) -> None:
    strange = set()
    for path, told in _told(made, plural):
        head = path.split(".")[0]
        known = head in VOCABULARY | {"name", "uuid"} or head in {
            pattern.split(".")[0] for pattern in kinds()[plural].words
        }
        if RAW.search(told) or NO_NOUN.match(told) or not known:
            strange.add(f"{path}: {told}")
    assert not sorted(strange), "say it in the kind's `words`, as a noun"


def test_a_port_is_told_by_the_name_of_who_has_it(made: Blueprint) -> None:
    web = made.resources[Address("acme", "instances", "web", 2)]
    mac = next(value for key, value in web.leases.items() if key.endswith("mac"))
    network = Address("acme", "networks", "app")
    holders = Holders(Recorded(site="site"), made)
    told = said(f"forwarding.{mac}.at", kinds()["networks"].words, holders, network)
    assert told == "host of web[2]"
