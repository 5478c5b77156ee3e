"""Users whom the site's files have, beside those of the store. The store keeps what no file says: their passwords.

A name belongs to the files. Who has it in the store is locked out, so nobody gets a role by a name that was made
before. Who is written again after a removal is somebody else: all that the first one had is removed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from stead.serve.identity.registry import (
    ASSIGNMENT,
    DOMAIN,
    GROUP,
    LOGIN,
    MEMBER,
    OF_FILES,
    USER,
    Key,
    Known,
    Record,
    in_domain,
)

SINCE = "since"  # when the user was made: another time is another user
KEPT = ("password", "tokens_from")
Since = Callable[[str], float]  # when a user with this address was made last


def merged(stored: Known, declared: Known, since: Since) -> tuple[dict[Key, Record], dict[Key, Record | None]]:
    """All that is known, and what is to be written of it: what earlier users had."""
    users = {name: one for (kind, name), one in declared.items() if kind == USER}
    changed: dict[Key, Record | None] = {}
    made = {user: since(one["address"]) for user, one in users.items()}
    for user, at in made.items():
        if stored.get((LOGIN, user), {SINCE: at})[SINCE] != at:
            changed |= all_of(stored, user)
    left = {key: one for key, one in {**stored, **changed}.items() if one is not None}
    known = {**left, **declared, **_locked_out(left, users)}
    for user, one in users.items():
        login = left.get((LOGIN, user), {})
        known[USER, user] = {**one, "tokens_from": made[user], **{name: login[name] for name in KEPT if name in login}}
    return {**known, **_roles_of_members(known)}, changed


def _locked_out(stored: Known, users: Mapping[str, Record]) -> dict[Key, Record]:
    names = {one["name"] for one in users.values()}
    return {
        (kind, name): {**one, "name": f"{one['name']} {name[:8]}", "enabled": False}
        for (kind, name), one in stored.items()
        if kind == USER and one["name"] in names and in_domain(one) == DOMAIN and name not in users
    }


def _roles_of_members(known: Known) -> dict[Key, Record]:
    """Of those of `projects.X.members` who are there, by their names."""
    members = [one for (kind, _), one in known.items() if kind == MEMBER]
    ids = {one["name"]: name for (kind, name), one in known.items() if kind == USER and in_domain(one) == DOMAIN}
    given = [(ids[one["name"]], one) for one in members if one["name"] in ids]
    return {
        (ASSIGNMENT, f"{user}/{one['where']}/{one['role']}"): {
            "user": user, "where": one["where"], "role": one["role"], OF_FILES: True
        }
        for user, one in given
    }  # fmt: skip


def all_of(known: Known, user: str) -> dict[Key, Record | None]:
    """What ends with a user, beside the user."""
    words = ("user", "user_id", "trustee")
    mine = [key for key, one in known.items() if user in [one.get(word) for word in words]]
    groups = ((key, one) for key, one in known.items() if key[0] == GROUP and user in one["members"])
    return {**{key: without(one, user) for key, one in groups}, **dict.fromkeys(mine)}


def without(group: Record, user: str) -> dict[str, Any]:
    return {**group, "members": [one for one in group["members"] if one != user]}


def login_of(user: str, after: Record, since: Since) -> dict[Key, Record | None]:
    """What the store keeps of a user of files."""
    kept = {name: after[name] for name in KEPT if name in after}
    return {(LOGIN, user): {"user": user, SINCE: since(after["address"]), **kept}}
