"""What the site's files say of identities, as records beside those of the store: users, domains, groups, their roles.

Each provider is a domain of its own, so nobody of one is ever taken for somebody of another, or of the store.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from stead.core.address import Address
from stead.language.desired.identity import FIXED_ROLES, GroupRole, IdentitySettings
from stead.serve.cloud import Cloud
from stead.serve.identity.registry import (
    ASSIGNMENT,
    DOMAIN,
    DOMAINS,
    GROUP,
    IMPLICATION,
    MEMBER,
    ROLE,
    USER,
    Key,
    Record,
)
from stead.serve.identity.scopes import SYSTEM
from stead.serve.world import CloudState, KnownResource, bare, fields_of_want

logger = logging.getLogger("stead.serve")
NONE = IdentitySettings()


def domain_id(name: str) -> str:
    return uuid5(NAMESPACE_OID, f"stead provider {name}").hex


def group_id(domain: str, name: str) -> str:
    return uuid5(NAMESPACE_OID, f"stead group {domain} {name}").hex


def role_key(name: str) -> str:
    return name if name in FIXED_ROLES else uuid5(NAMESPACE_OID, f"stead declared role {name}").hex


def user_id(domain: str, id_: str) -> str:
    return uuid5(NAMESPACE_OID, f"stead user {domain} {id_}").hex


class DeclaredIdentity:
    """By the site's files as they are now; made again when they or the projects change."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._made: tuple[CloudState, Mapping[Key, Record]] | None = None

    @property
    def settings(self) -> IdentitySettings:
        return self._cloud.world().desired.site.identity or NONE

    def records(self) -> Mapping[Key, Record]:
        world = self._cloud.world()
        if self._made is None or self._made[0] is not world:
            settings = world.desired.site.identity or NONE
            self._made = (world, {**dict(_records(world, settings)), **dict(_people(world))})
        return self._made[1]


def _records(world: CloudState, settings: IdentitySettings) -> Iterator[tuple[Key, Record]]:
    for name, role in settings.roles.items():
        key = role_key(name)
        said = {"name": name, "description": role.description or None, "domain_id": None}
        yield (ROLE, key), {**said, "may": tuple(role.may)}
        for implied in map(role_key, role.implies):
            yield (IMPLICATION, f"{key}/{implied}"), {"prior": key, "implied": implied}
    for name, provider in settings.providers.items():
        domain = domain_id(name)
        yield (DOMAINS, domain), {"name": name, "description": provider.told, "enabled": True}
        for one in provider.roles:
            group = group_id(domain, one.group)
            yield (GROUP, group), {"name": one.group, "description": provider.told, "members": (), "domain": domain}
            if where := _where(world, one):
                role_ = role_key(one.role)
                yield (ASSIGNMENT, f"{group}/{where}/{role_}"), {"user": group, "where": where, "role": role_}


def _people(world: CloudState) -> Iterator[tuple[Key, Record]]:
    """By what was applied last, so nobody becomes anything by a change that nobody has approved."""
    for thing in world.things("users"):
        if (said := _applied(thing)) is not None:
            user = bare(thing.id)
            one = {"name": said.get("login") or thing.address.label, "enabled": said["enabled"], "password": ""}
            from_ = {"file": thing.block.node.file, "address": str(thing.address)}
            yield (USER, user), {**one, **from_, "email": said.get("email") or None, "domain": DOMAIN}
            if said["admin"]:
                yield (ASSIGNMENT, f"{user}/{SYSTEM}/admin"), {"user": user, "where": SYSTEM, "role": "admin"}
    for thing in world.things("projects"):
        where = bare(thing.id)
        for one in (_applied(thing) or {}).get("members", ()):
            role = role_key(one["role"])
            yield (MEMBER, f"{where}/{one['name']}/{role}"), {"name": one["name"], "where": where, "role": role}


def _applied(thing: KnownResource) -> Mapping[str, Any] | None:
    want = thing.record.wants.get("") if thing.record is not None else None
    return fields_of_want(want) if want is not None else None


def _where(world: CloudState, one: GroupRole) -> str:
    """A project is meant by its key, and by the name that people see only if no other has it."""
    if not one.project:
        return SYSTEM
    keyed = Address("", "projects", one.project)
    named = [thing.address for thing in world.things("projects") if thing.name == one.project]
    if keyed in world.desired.by_address or len(named) == 1:
        return bare(world.id_of(keyed if keyed in world.desired.by_address else named[0]))
    logger.warning("site.identity: group %s has a role in project %s, which is not there", one.group, one.project)
    return ""
