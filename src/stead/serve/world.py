"""What there is, as one value to read: asked for (documents and files), recorded, promised, and what went wrong.

Everything is found by its UUID; what is another project's is not found at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from stead.blueprint.leases import derived
from stead.core.address import Address, order
from stead.core.named import NamedTuple
from stead.core.recorded import Record, Recorded, with_reserved
from stead.core.want import Want
from stead.language.desired import Block, Desired, Settings
from stead.serve.faults import conflict, not_found
from stead.store.model import Document, reserved

NOTHING: Mapping[str, Any] = {}
BORN = 0.0


class ResourceStatus(StrEnum):
    BUILDING = "building"  # accepted; no step of it is done yet
    MADE = "made"
    FAILED = "failed"  # its last step was not done, or it cannot be planned


class KnownResource(NamedTuple):
    """One resource with all that is known of it."""

    address: Address
    block: Block
    id: str
    leases: Mapping[str, str]
    about: Mapping[str, Any]
    record: Record | None  # what is recorded of it; None before its first step
    state: ResourceStatus
    fault: str

    @property
    def model(self) -> Any:
        return self.block.model

    @property
    def settings(self) -> Settings:
        return self.block.settings

    @property
    def name(self) -> str:
        return self.block.settings.display_name or self.address.label

    @property
    def created(self) -> str:
        return moment(self.about.get("created", BORN))

    @property
    def updated(self) -> str:
        return moment(self.about.get("updated", self.about.get("created", BORN)))

    @property
    def host(self) -> str:
        return self.record.host if self.record is not None else self.about.get("kept", NOTHING).get("host", "")


class CloudState:
    def __init__(
        self,
        *,
        documents: Mapping[str, Document],
        desired: Desired,
        record: Recorded,
        faults: Mapping[Address, str],
    ) -> None:
        self.documents, self.desired, self._record, self.faults = documents, desired, record, faults
        self.recorded = with_reserved(record, reserved(documents.values()))  # with what is promised
        self.made = record.resources
        self._former = {new: old for old, new in desired.moved.items() if new not in self.made and old in self.made}
        self._known: dict[Address, KnownResource] = {}
        self._things: dict[str, list[KnownResource]] = {}  # by kind, in order: each page of a list asks for all

    def after(self, saved: Document, desired: Desired) -> CloudState:
        """With the next version of a document."""
        documents = {**self.documents, saved.project: saved}
        return CloudState(documents=documents, desired=desired, record=self._record, faults=self.faults)

    @property
    def site(self) -> str:
        return self.recorded.site

    def id_of(self, address: Address) -> str:
        record = self.recorded.resources.get(self._former.get(address, address))
        return (record.leases.get("uuid") if record else None) or derived(self.site, address, "")

    def thing(self, address: Address) -> KnownResource:
        found = self._known.get(address)
        if found is None:
            found = self._known[address] = self._thing(address)
        return found

    def _thing(self, address: Address) -> KnownResource:
        block = self.desired.by_address[address]
        former = self._former.get(address, address)  # until the next apply has given it its name
        known, made = self.recorded.resources.get(former), self.made.get(former)
        document = self.documents.get(address.project or address.name)
        about = document.about.get(str(address), NOTHING) if document else NOTHING
        fault = self.faults.get(address, "")
        there = (made is not None and made.wants) or not address.project  # what the site shares is there to be used
        state = ResourceStatus.FAILED if fault else ResourceStatus.MADE if there else ResourceStatus.BUILDING
        leases = known.leases if known else NOTHING
        return KnownResource(address, block, self.id_of(address), leases, about, made, state, fault)

    def things(self, kind: str, projects: Iterable[str] | None = None) -> Iterator[KnownResource]:
        """Of these projects ("" is the site), or of all; in the order in which they were made."""
        if kind not in self._things:
            found = [self.thing(member) for block in self.desired.of_kind(kind) for member in block.members]
            self._things[kind] = sorted(found, key=lambda one: (one.about.get("created", BORN), order(one.address)))
        if projects is None:
            return iter(self._things[kind])
        only = set(projects)
        return (one for one in self._things[kind] if one.address.project in only)

    @cached_property
    def _by_id(self) -> Mapping[tuple[str, str], Address]:
        every = (member for block in self.desired.blocks for member in block.members)
        return {(address.kind, bare(self.id_of(address))): address for address in every}

    def address(self, kind: str, name: str) -> Address | None:
        return self._by_id.get((kind, bare(name)))

    def find(
        self, kind: str, name: str, project: str, *, what: str, shared: bool = False, admin: bool = False
    ) -> KnownResource:
        """By its id, among what the project may see: its own, and what the site shares where `shared` says so."""
        address = self.address(kind, name)
        if address is not None:
            mine = address.project == project or admin
            if mine or (shared and not address.project):
                return self.thing(address)
        raise not_found(what, name)

    def users_of(self, address: Address) -> list[Address]:
        """Who refers to it."""
        return [block.members[0] for block in self.desired.blocks if address in block.refs and block.members]

    def must_be_unused(self, thing: KnownResource, what: str, *, but: Iterable[Address] = ()) -> None:
        if users := [one for one in self.users_of(thing.address) if one not in set(but)]:
            named = ", ".join(f"{one.kind.removesuffix('s').replace('_', ' ')} {self.id_of(one)}" for one in users[:3])
            raise conflict(f"{what} {thing.id} is in use by {named}. Delete or detach that first.")

    def owner_file(self, project: str) -> str:
        """The file that has something of a project."""
        blocks = (one for one in self.desired.blocks if one.project == project)
        own = next(blocks, None) or self.desired.by_address.get(Address("", "projects", project))
        return own.node.file if own is not None else ""

    def project_id(self, project: str) -> str:
        return bare(self.id_of(Address("", "projects", project))) if project else ""

    def project_ids(self) -> list[str]:
        return [bare(one.id) for one in self.things("projects")]

    def project(self, name: str) -> str | None:
        """The project with this id."""
        address = self.address("projects", name)
        return address.name if address is not None else None


def bare(text: str) -> str:
    return text.replace("-", "").lower()


@lru_cache(maxsize=20_000)
def made_of(*parts: str) -> str:
    """An id for what has none of its own: a subnet, a port, a rule."""
    return str(uuid5(NAMESPACE_OID, "/".join(parts)))


@lru_cache(maxsize=20_000)
def moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=20_000)
def fields_of_want(want: Want) -> Mapping[str, Any]:
    return want.fields()


_UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)


def is_uuid(text: str) -> bool:
    return _UUID.fullmatch(text) is not None
