"""What the host that makes a bucket is told, and what its store has to know of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from stead.core.address import Address
from stead.core.fields import Secret
from stead.core.kind import Contribution, Member, World
from stead.core.needs import Demand
from stead.core.want import Body, Want
from stead.drivers.object import at, hosts_of, key_of, trait
from stead.kinds.bucket.model import Bucket
from stead.kinds.shared.record_only import plain
from stead.language.desired import Block, Desired


def demand(block: Block, desired: Desired) -> Demand | None:
    """Any host of the store can make it, and none keeps it."""
    store = _store(block, desired)
    if store is None:
        return None
    return Demand(role="storage", amounts={}, required=frozenset({trait(store.driver)}), zones=frozenset(store.zones))


def _store(block: Block, desired: Desired) -> Any:
    model: Bucket = block.model
    found = desired.get(model.store)
    return found.model if found is not None else None


def usage(block: Block, _desired: Desired) -> dict[str, int]:
    model: Bucket = block.model
    return {"object_storage": model.quota or 0}


def account_of(block: Block, world: World) -> str:
    """Of the project's identity, and not of its name: a project that is made anew does not get what the old one had."""
    return str(world.member(Address("", "projects", block.project)).leases["uuid"])


def _quota_of(block: Block, world: World) -> dict[str, int]:
    """Of its project; what that may have in all."""
    project = world.desired.get(Address("", "projects", block.project))
    most = project.model.quota.get("object_storage") if project is not None else None
    return {"account_quota": most} if most else {}


def contribute(block: Block, members: Sequence[Member], world: World) -> Iterator[Contribution]:
    model: Bucket = block.model
    fact = {
        "account": account_of(block, world),
        "project": block.project,
        "public": model.public,
    }
    for member in members:
        yield Contribution(model.store, "bucket", {**fact, "bucket": member.address.label})


def realise(block: Block, members: Sequence[Member], world: World) -> Iterator[Mapping[str, Want]]:
    model: Bucket = block.model
    store, there = _store(block, world.desired), world.member(model.store)
    fields = {
        **plain(model),
        **_quota_of(block, world),
        "account": account_of(block, world),
        "public": model.public,
        "store": {"address": str(model.store), "driver": store.driver, "uuid": there.leases["uuid"]},
        "versioning": model.versioning,
    }
    body = Body.of(fields)
    for member in members:
        own = {"bucket": member.address.label, "name": str(member.address), "uuid": member.leases["uuid"]}
        yield {member.host: Want.of(body, own)}


def facts(block: Block, member: Member, world: World) -> dict[str, Any]:
    model: Bucket = block.model
    store, account = _store(block, world.desired), account_of(block, world)
    hosts = hosts_of(store.driver, store.zones, world.hosts)
    endpoints = at(store, [host.underlay for host in hosts])
    return {
        "name": member.address.label,
        "uuid": member.leases["uuid"],
        "bucket": member.address.label,
        "endpoints": endpoints,
        "url": f"{endpoints[0]}/v1/AUTH_{account}/{member.address.label}" if endpoints else "",
        "access_key": f"{block.project}:owner",
        "secret_key": key_of(_plain(store.secret), account),
        "store": str(model.store),
    }


def credentials(
    block: Block, desired: Desired, applied: Callable[[Address], Mapping[str, Any]]
) -> dict[str, Secret | str]:
    """For every bucket of its project: the account is the project's."""
    model: Bucket = block.model
    store, there = _store(block, desired), applied(model.store)
    account = applied(block.members[0]).get("account", "") if block.members else ""
    hosts = [str(one["address"]) for one in there.get("hosts", {}).values()]
    endpoint = next(iter(at(store, hosts)), "")
    return {
        "endpoint": endpoint,
        "auth_url": f"{endpoint}/auth/v1.0",
        "access_key": f"{block.project}:owner",
        "secret_key": key_of(_plain(store.secret), str(account)),
    }


def _plain(secret: str | Secret) -> str:
    return secret.reveal() if isinstance(secret, Secret) else secret
