"""What each host of an object store should have of it. All have the same, so each can take the place of another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stead.core.kind import Member, World
from stead.core.want import Body, Want
from stead.drivers.object import at, hosts_of
from stead.kinds.object_store.model import ObjectStore, TokenApi
from stead.language.desired import Block

CERTIFICATE = re.compile("BEGIN CERTIFICATE-----([^-]+)-----END")


def realise(block: Block, members: Sequence[Member], world: World) -> Iterator[Mapping[str, Want]]:
    model: ObjectStore = block.model
    hosts = hosts_of(model.driver, model.zones, world.hosts)
    for member in members:
        body = Body.of(
            {
                "accounts": _accounts(world.contributions(member.address, "bucket"), _limited(model, world)),
                **({"api": _api(model.api)} if model.api else {}),
                "devices": list(model.devices),
                "driver": model.driver,
                "hosts": {host.name: {"address": host.underlay, "zone": host.zone} for host in hosts},
                "mounted": model.mounted,
                "part_power": model.part_power,
                "port": model.port,
                "replicas": model.replicas,
                "secret": world.render(model.secret, member),
                "tls": model.tls,
            }
        )
        want = Want.of(body, {"name": str(member.address), "uuid": member.leases["uuid"]})
        yield {host.name: want for host in hosts} or {"": want}


def _api(api: TokenApi) -> dict[str, Any]:
    """Certificates in one line each."""
    authority = ["".join(one.split()) for one in CERTIFICATE.findall(api.authority or "")]
    return {"url": api.url.rstrip("/"), **({"authority": authority} if authority else {})}


def _limited(model: ObjectStore, world: World) -> dict[str, dict[str, Any]]:
    """Accounts that people with a token may have without a bucket of the spec: none has more than its quota."""
    projects = world.desired.of_kind("projects") if model.api else ()
    return {
        block.name: {"account": str(world.member(member).leases["uuid"]), "public": [], "quota": quota}
        for block in projects
        for member in block.members
        if (quota := block.model.quota.get("object_storage"))
    }


def _accounts(buckets: Sequence[Mapping[str, Any]], limited: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """By project, which has one with its first bucket: its identity, and what of it everybody may read."""
    found = limited
    for one in buckets:
        own = found.setdefault(one["project"], {"account": one["account"], "public": []})
        if one["public"]:
            own["public"] = sorted({*own["public"], one["bucket"]})
    return found


def facts(block: Block, member: Member, world: World) -> dict[str, Any]:
    model: ObjectStore = block.model
    hosts = hosts_of(model.driver, model.zones, world.hosts)
    return {
        "name": member.address.label,
        "uuid": member.leases["uuid"],
        "endpoints": at(model, [host.underlay for host in hosts]),
        "hosts": [host.name for host in hosts],
    }
