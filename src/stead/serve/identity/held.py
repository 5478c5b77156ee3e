"""Which roles somebody holds where: by oneself and by groups, from what a project is in, and by what roles imply."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stead.serve.identity.registry import ASSIGNMENT, DOMAIN, GROUP, IMPLICATION, PROJECT, ROLE, USER, Known, Record
from stead.serve.identity.roles import ROLES
from stead.serve.identity.scopes import SYSTEM, domain_of, of_domain


def groups_of(known: Known, user: str) -> list[str]:
    told = known.get((USER, user), {}).get("groups", ())  # by a provider
    return [name for (kind, name), one in known.items() if kind == GROUP and (user in one["members"] or name in told)]


def domain_of_project(known: Known, project: str) -> str:
    return str(known.get((PROJECT, project), {}).get("domain", DOMAIN))


def parents_of(known: Known, project: str) -> list[str]:
    """The projects that it is in, the nearest first."""
    found: list[str] = []
    while parent := known.get((PROJECT, project), {}).get("parent"):
        found.append(parent)
        project = parent
    return found


def above(known: Known, where: str) -> list[str]:
    """Whence it inherits: only a project does."""
    if where in ("", SYSTEM) or domain_of(where):
        return []
    return [*parents_of(known, where), of_domain(domain_of_project(known, where))]


def below(known: Known, where: str, every: Iterable[str]) -> list[str]:
    """The projects among these that inherit from there."""
    return [one for one in every if where in above(known, one)]


def assignments(known: Known) -> Iterator[Record]:
    """Of roles and to holders that are there: those of the site's files may leave them."""
    every = (one for (kind, _), one in known.items() if kind == ASSIGNMENT)
    return (one for one in every if is_role(known, one["role"]) and _is_holder(known, one["user"]))


def is_role(known: Known, role: str) -> bool:
    return role in ROLES or (ROLE, role) in known


def _is_holder(known: Known, holder: str) -> bool:
    return (USER, holder) in known or (GROUP, holder) in known


def roles_in(known: Known, user: str, where: str) -> frozenset[str]:
    """As they were assigned: here, or to be inherited by what is in there."""
    holders = {user, *groups_of(known, user)}
    mine = [one for one in assignments(known) if one["user"] in holders]
    upper = above(known, where) if any(one.get("inherited") for one in mine) else []
    return frozenset(one["role"] for one in mine if one["where"] in (upper if one.get("inherited") else (where,)))


def own_roles(known: Known, holder: str, where: str, *, inherited: bool = False) -> frozenset[str]:
    """Those that were assigned to this user or group."""
    mine = [one for one in assignments(known) if (one["user"], one["where"]) == (holder, where)]
    return frozenset(one["role"] for one in mine if one.get("inherited", False) == inherited)


def projects_of(known: Known, user: str, every: Iterable[str]) -> list[str]:
    """Those among these in which the user holds a role."""
    holders = {user, *groups_of(known, user)}
    mine = [one for one in assignments(known) if one["user"] in holders]
    here = {one["where"] for one in mine if not one.get("inherited")}
    inherited = {one["where"] for one in mine if one.get("inherited")}
    return [one for one in every if one in here or (inherited and not inherited.isdisjoint(above(known, one)))]


def implied_by(known: Known, role: str) -> list[str]:
    """The next ones: fixed roles imply those after them, others what an admin says."""
    if role in ROLES:
        return [*ROLES[ROLES.index(role) + 1 :]]
    return [one["implied"] for (kind, _), one in known.items() if kind == IMPLICATION and one["prior"] == role]


def with_implied(known: Known, roles: Iterable[str]) -> frozenset[str]:
    """What a token says. A role of a domain is only there to imply others."""
    found, next_ones = set[str](), [*roles]
    while next_ones:
        one = next_ones.pop()
        if one not in found:
            found.add(one)
            next_ones += implied_by(known, one)
    return frozenset(one for one in found if is_role(known, one) and not known.get((ROLE, one), {}).get("domain_id"))


def granted(known: Known, roles: Iterable[str]) -> frozenset[str]:
    """What the site's files let these roles do."""
    return frozenset(word for role in roles for word in known.get((ROLE, role), {}).get("may", ()))
