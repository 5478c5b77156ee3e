"""Who there is and what they may: users, roles in projects, application credentials. The store has them, no file."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from stead.core.named import NamedTuple
from stead.serve.faults import TOO_MANY, Fault, bad, conflict, not_found, unauthenticated
from stead.serve.identity.passwords import Lockout, fits, hashed
from stead.serve.identity.tokens import LIVES, Token, Tokens, ended, new_key
from stead.serve.routes import AccessPolicy
from stead.store import Store
from stead.store.model import Audited

ROLES = ("admin", "manager", "member", "reader")  # each implies those after it
DOMAIN = "default"
SYSTEM = "system"  # where a role is held that is for the whole cloud
FRESH = 2.0  # seconds until what another process has written is seen
Record = Mapping[str, Any]
Key = tuple[str, str]
USER, GROUP, ASSIGNMENT, CREDENTIAL, REVOKED, TOKEN_KEY = "user", "group", "assignment", "credential", "revoked", "key"
BAD_LOGIN = "The name, the password or the project is wrong, or the account is disabled or locked."
_NEEDS = {
    AccessPolicy.READER: "reader",
    AccessPolicy.MEMBER: "member",
    AccessPolicy.MANAGER: "manager",
    AccessPolicy.ADMIN: "admin",
}


class Caller(NamedTuple):
    """Who asks, by a token that holds."""

    token: Token | None
    user: str  # id
    name: str
    project: str  # its name in the spec; empty without one
    roles: frozenset[str]  # with those that they imply

    @property
    def admin(self) -> bool:
        return "admin" in self.roles

    def may(self, policy: AccessPolicy) -> bool:
        if policy is AccessPolicy.PUBLIC:
            return True
        if self.token is None:
            return False
        if policy is AccessPolicy.ANYONE:
            return True
        return _NEEDS[policy] in self.roles and (bool(self.project) or self.admin)


NOBODY = Caller(None, "", "", "", frozenset())


def implied(roles: Iterable[str]) -> frozenset[str]:
    first = min((ROLES.index(one) for one in roles if one in ROLES), default=len(ROLES))
    return frozenset(ROLES[first:])


def role_id(name: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_OID, f"stead role {name}").hex


class People:
    def __init__(self, store: Store, *, clock: Callable[[], float] = time.time) -> None:
        self._store, self._clock = store, clock
        self._lock = threading.RLock()
        self._known: dict[Key, Record] = {}
        self._read_at = -FRESH
        self.lockout = Lockout()
        if (TOKEN_KEY, "tokens") not in self.known():
            self.write({(TOKEN_KEY, "tokens"): {"key": new_key()}})
        self.tokens = Tokens(self.known()[TOKEN_KEY, "tokens"]["key"])

    def known(self) -> Mapping[Key, Record]:
        with self._lock:
            if time.monotonic() - self._read_at > FRESH:
                self._known, self._read_at = dict(self._store.identities()), time.monotonic()
            return self._known

    def write(self, changed: Mapping[Key, Record | None]) -> None:
        with self._lock:
            self._store.write_identities(changed)
            self._read_at = -FRESH

    def of_kind(self, kind: str) -> Iterator[tuple[str, Record]]:
        return ((name, one) for (which, name), one in self.known().items() if which == kind)

    def audit(self, entry: Audited) -> None:
        with self._lock:
            self._store.audit([entry])

    # Users

    def user(self, name: str) -> Record:
        found = self.known().get((USER, name))
        if found is None:
            raise not_found("User", name)
        return found

    def named(self, name: str) -> str | None:
        """The id of the user with this name, or this id."""
        if (USER, name) in self.known():
            return name
        return next((one for one, user in self.of_kind(USER) if user["name"] == name), None)

    def add_user(self, name: str, password: str | None, **more: Any) -> str:
        if self.named(name) is not None:
            raise conflict(f"There is a user {name} already.")
        new = uuid.uuid4().hex
        record = {"name": name, "enabled": True, "password": hashed(password) if password else "", **more}
        self.write({(USER, new): record})
        return new

    def change_user(self, user: str, **fields: Any) -> None:
        if "password" in fields:
            fields["password"] = hashed(fields["password"])
        before = self.user(user)
        lost = "password" in fields or fields.get("enabled") is False
        after = {**before, **fields, **({"tokens_from": self._clock()} if lost else {})}
        self.write({(USER, user): after})

    def remove_user(self, user: str) -> None:
        self.user(user)
        mine = [key for key, one in self.known().items() if one.get("user") == user]
        left = {(GROUP, name): _without(self.group(name), user) for name in self.groups_of(user)}
        self.write({(USER, user): None, **dict.fromkeys(mine), **left})

    # Groups

    def group(self, name: str) -> Record:
        found = self.known().get((GROUP, name))
        if found is None:
            raise not_found("Group", name)
        return found

    def groups_of(self, user: str) -> list[str]:
        return [name for name, one in self.of_kind(GROUP) if user in one["members"]]

    def add_group(self, name: str, description: str) -> str:
        if any(one["name"] == name for _, one in self.of_kind(GROUP)):
            raise conflict(f"There is a group {name} already.")
        new = uuid.uuid4().hex
        self.write({(GROUP, new): {"name": name, "description": description, "members": []}})
        return new

    def change_group(self, group: str, **fields: Any) -> None:
        self.write({(GROUP, group): {**self.group(group), **fields}})

    def remove_group(self, group: str) -> None:
        self.group(group)
        held = [key for key, one in self.known().items() if key[0] == ASSIGNMENT and one["user"] == group]
        self.write({(GROUP, group): None, **dict.fromkeys(held)})

    def join(self, group: str, user: str) -> None:
        self.user(user)
        known = self.group(group)
        self.write({(GROUP, group): {**known, "members": [*_without(known, user)["members"], user]}})

    def leave(self, group: str, user: str) -> None:
        known = self.group(group)
        if user not in known["members"]:
            raise not_found("User in the group", user)
        self.write({(GROUP, group): _without(known, user)})

    # Roles

    def roles_in(self, user: str, where: str) -> frozenset[str]:
        """By oneself, and by one's groups."""
        holders = {user, *self.groups_of(user)}
        return frozenset(
            one["role"] for _, one in self.of_kind(ASSIGNMENT) if one["user"] in holders and one["where"] == where
        )

    def own_roles(self, holder: str, where: str) -> frozenset[str]:
        """Those that were assigned to this user or group."""
        return frozenset(
            one["role"] for _, one in self.of_kind(ASSIGNMENT) if (one["user"], one["where"]) == (holder, where)
        )

    def assignments(self) -> list[Record]:
        return [one for _, one in self.of_kind(ASSIGNMENT)]

    def assign(self, user: str, where: str, role: str) -> None:
        """To a user or a group."""
        if (GROUP, user) not in self.known():
            self.user(user)
        self.write({(ASSIGNMENT, f"{user}/{where}/{role}"): {"user": user, "where": where, "role": role}})

    def unassign(self, user: str, where: str, role: str) -> None:
        key = (ASSIGNMENT, f"{user}/{where}/{role}")
        if key not in self.known():
            raise not_found("Role assignment", role)
        self.write({key: None})

    def projects_of(self, user: str) -> list[str]:
        holders = {user, *self.groups_of(user)}
        found = (
            one["where"] for _, one in self.of_kind(ASSIGNMENT) if one["user"] in holders and one["where"] != SYSTEM
        )
        return list(dict.fromkeys(found))

    def forget_project(self, where: str) -> None:
        self.write({key: None for key, one in self.known().items() if where in (one.get("where"), one.get("project"))})

    # Application credentials

    def add_credential(self, user: str, where: str, name: str, **more: Any) -> tuple[str, str]:
        if any(one["user"] == user and one["name"] == name for _, one in self.of_kind(CREDENTIAL)):
            raise conflict(f"There is an application credential {name} already.")
        new, secret = uuid.uuid4().hex, more.pop("secret", None) or secrets.token_urlsafe(48)
        record = {"user": user, "project": where, "name": name, "secret": _digest(secret), **more}
        self.write({(CREDENTIAL, new): record})
        return new, secret

    # Logging in

    def log_in(self, name: str, password: str) -> str:
        """The id of the user. All that can be wrong is told in the same words, after the same time."""
        if self.lockout.locked(name):
            raise unauthenticated(BAD_LOGIN)
        user = self.named(name)
        record = self.known().get((USER, user or ""), {})
        if not fits(password, record.get("password", "")) or user is None or not record["enabled"]:
            self.lockout.failed(name)
            raise unauthenticated(BAD_LOGIN)
        self.lockout.passed(name)
        return user

    def by_credential(self, credential: str, secret: str) -> tuple[str, Record]:
        if self.lockout.locked(credential):
            raise Fault(429, TOO_MANY.id, "Too many wrong secrets. Try again later.")
        record = self.known().get((CREDENTIAL, credential), {})
        good = hmac.compare_digest(record.get("secret", ""), _digest(secret))
        user = self.known().get((USER, record.get("user", "")), {})
        if not good or not user.get("enabled") or self._over(record):
            self.lockout.failed(credential)
            raise unauthenticated(BAD_LOGIN)
        return record["user"], record

    def _over(self, credential: Record) -> bool:
        until = credential.get("expires")
        return until is not None and until <= self._clock()

    def issue(self, user: str, where: str, methods: tuple[str, ...], credential: str = "") -> Token:
        """`where` is a project's id, the system, or nothing. Who has no role there gets no token for it."""
        if where and not self.roles_in(user, where):
            raise unauthenticated(BAD_LOGIN)
        now = self._clock()
        project = "" if where == SYSTEM else where
        audit = os.urandom(12).hex()
        return Token(user, project, where == SYSTEM, methods, now, now + LIVES, audit, credential)

    def revoke(self, token: Token) -> None:
        now = self._clock()
        old = {(REVOKED, name): None for name, one in self.of_kind(REVOKED) if ended(one, now)}
        self.write({**old, (REVOKED, token.audit): {"expires": token.expires}})

    def caller(self, text: str, project_of: Callable[[str], str | None]) -> Caller:
        """By what is true now: a role that was taken away counts no more, whatever the token was issued for."""
        token = self.tokens.opened(text, self._clock())
        known = self.known()
        user = known.get((USER, token.user)) if token is not None else None
        if token is None or user is None or not user["enabled"] or (REVOKED, token.audit) in known:
            return NOBODY
        if token.issued < user.get("tokens_from", 0.0):
            return NOBODY
        where = SYSTEM if token.system else token.project
        roles = self.roles_in(token.user, where)
        if token.credential:
            credential = known.get((CREDENTIAL, token.credential))
            if credential is None or self._over(credential):
                return NOBODY
            roles = implied(roles) & frozenset(credential["roles"])
        project = project_of(token.project) if token.project else ""
        if project is None or (where and not roles):
            return NOBODY
        return Caller(token, token.user, user["name"], project, implied(roles))


def _without(group: Record, user: str) -> dict[str, Any]:
    return {**group, "members": [one for one in group["members"] if one != user]}


def _digest(secret: str) -> str:
    """A credential's secret is as long as a key, so no slow hash is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def checked_role(name: str) -> str:
    if name not in ROLES:
        raise bad(f"There is no role {name[:40]!r}: {', '.join(ROLES)} are what there is.")
    return name
