"""What is wrong with a bucket: its name, and what its store cannot do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stead.core.address import Address
from stead.core.diagnostics import Code, Diagnostic
from stead.core.driver import Feature
from stead.drivers.object import CORS, PUBLIC, QUOTA, VERSIONING, WEBSITE, all_of_them, of
from stead.kinds.bucket.model import Bucket
from stead.kinds.shared.memoize_last import memoize_last
from stead.language.desired import Block, Desired

SHORT = Code("STEAD-V055", "the bucket's name is too short")
HIDDEN = Code("STEAD-V056", "a website that nobody can read")
CANNOT = Code("STEAD-V057", "the object store cannot do this")
ONE_FOR_TWO = Code("STEAD-V058", "two buckets would be the same one")
LEAST = 3  # characters, of S3
FEATURES = {
    "quota": QUOTA,
    "objects": QUOTA,
    "versioning": VERSIONING,
    "public": PUBLIC,
    "cors": CORS,
    "website": WEBSITE,
}


def check(block: Block, desired: Desired) -> Iterator[Diagnostic]:
    model: Bucket = block.model
    name = block.members[0].label if block.members else block.name
    if len(name) < LEAST:
        text = f"Clients of S3 refuse {name}: a bucket's name has {LEAST} characters at least. Choose a longer one."
        yield SHORT.at(block.place(), text)
    for member in block.members:
        other = owners(desired)[_place(member, model)]
        if other.block != member.block:
            text = f"{member} and {other} are both named {member.label} in {model.store}. Rename one of them."
            yield ONE_FOR_TWO.at(block.place(), text)
    if model.website is not None and not model.public:
        text = "Who opens a website has no key. Set `public: true`, or leave `website` out."
        yield HIDDEN.at(block.place("website"), text)
    store = desired.get(model.store)
    if store is not None and store.model.driver in all_of_them():  # else the store itself tells
        for field, feature in _asked(model):
            found = of(store.model.driver, feature)
            if not found.can:
                yield CANNOT.at(block.place(field), found.text)


def _owners(desired: Desired) -> Mapping[tuple[str, Address, str], Address]:
    found: dict[tuple[str, Address, str], Address] = {}
    for block in desired.of_kind("buckets"):
        for member in block.members:
            found.setdefault(_place(member, block.model), member)
    return found


owners = memoize_last(_owners)
"""Who has a name in its project's account first: `logs[0]` and a plain `logs-0` have the same."""


def _place(member: Address, model: Bucket) -> tuple[str, Address, str]:
    return member.project, model.store, member.label


def _asked(model: Bucket) -> Iterator[tuple[str, Feature]]:
    yield from ((field, feature) for field, feature in FEATURES.items() if getattr(model, field))
