"""Who there is and what they may: users and groups of domains, their roles and credentials. The store has them."""

from __future__ import annotations

import hashlib
import hmac
import os
import threading
import time
import uuid
from collections.abc import Callable
from math import inf
from typing import Any

from stead.serve.faults import TOO_MANY, Fault, conflict, forbidden, not_found, unauthenticated
from stead.serve.identity import held
from stead.serve.identity.of_files import all_of, login_of, merged, without
from stead.serve.identity.outside import OUTSIDE, OutsideUsers, must_be_own
from stead.serve.identity.passwords import Lockout, fits, hashed
from stead.serve.identity.registry import (
    ASSIGNMENT,
    BAD_LOGIN,
    CREDENTIAL,
    DOMAIN,
    DOMAINS,
    GROUP,
    PROJECT,
    REVOKED,
    TOKEN_KEY,
    TRUST,
    USER,
    IdentityRegistry,
    Key,
    Known,
    Record,
    in_domain,
    of_files,
)
from stead.serve.identity.roles import NOBODY, Caller, rules_of
from stead.serve.identity.scopes import SYSTEM, domain_of
from stead.serve.identity.tokens import LIVES, Token, Tokens, ended, new_key
from stead.store import Store

A_CODE_IS_LOCKED = 3600.0  # seconds after five wrong ones: it has six digits, and who guesses has the password
FROM_ONE_ADDRESS = 50  # wrong passwords and secrets, of whomever


class People(IdentityRegistry):
    def __init__(self, store: Store, *, clock: Callable[[], float] = time.time) -> None:
        super().__init__(store, clock=clock)
        self.lockout, self.addresses = Lockout(), Lockout(attempts=FROM_ONE_ADDRESS)
        self.codes, self.proving = Lockout(lasts=A_CODE_IS_LOCKED), threading.Lock()
        if (TOKEN_KEY, "tokens") not in self.known():
            self.write({(TOKEN_KEY, "tokens"): {"key": new_key()}})
        self.tokens = Tokens(self.token_key())
        self.outside: OutsideUsers | None = None  # whom a provider of the site knows

    def now(self) -> float:
        return self._clock()

    def token_key(self) -> str:
        key: str = self.known()[TOKEN_KEY, "tokens"]["key"]
        return key

    # Projects

    def domain_of_project(self, project: str) -> str:
        return held.domain_of_project(self.known(), project)

    def change_project(self, project: str, **fields: Any) -> None:
        """Its domain, the project that it is in, whether it is on, and fields of others' that are only kept."""
        self.domain(fields.get("domain", DOMAIN))
        before = {"enabled": True, "domain": DOMAIN, "parent": "", "extra": {}, **self.project_record(project)}
        after = {**before, **fields, "project": project}
        self.write({(PROJECT, project): after})

    def project_record(self, project: str) -> Record:
        return self.known().get((PROJECT, project), {})

    def is_project_on(self, project: str) -> bool:
        """No token is for one that is disabled, or is in one that is, whenever it was issued. Its servers run on."""
        ways = (project, *held.parents_of(self.known(), project))
        return all(self.project_record(one).get("enabled", True) for one in ways)

    # Users

    def user(self, name: str) -> Record:
        found = self.known().get((USER, name))
        if found is None:
            raise not_found("User", name)
        return found

    def named(self, name: str, domain: str = DOMAIN, *, kind: str = USER) -> str | None:
        """The id of the user (or group) with this name in a domain, or with this id."""
        if (kind, name) in self.known():
            return name
        return next((id_ for id_, one in self.of_kind(kind) if (one["name"], in_domain(one)) == (name, domain)), None)

    def add_user(self, name: str, password: str | None, **more: Any) -> str:
        record = {"name": name, "enabled": True, "password": hashed(password) if password else "", **more}
        return self._add(USER, record)

    def _add(self, kind: str, record: Record) -> str:
        new = uuid.uuid4().hex
        if self.is_declared((DOMAINS, in_domain(record))):
            raise forbidden(f"The site's files say where the people of this domain come from: no {kind} is made in it.")
        with self._lock:
            self.domain(in_domain(record))
            if self.named(record["name"], in_domain(record), kind=kind) is not None:
                raise conflict(f"There is a {kind} {record['name']} already.")
            self.write({(kind, new): record})
        return new

    def change_user(self, user: str, **fields: Any) -> None:
        """What the site's files say of a user is not changed, nor is such a user's password but by who has it."""
        before = self.user(user)
        if self.is_declared((USER, user)):
            raise of_files(before)
        if fields.keys() & {"name", "password"}:
            must_be_own(before)
        self._change(user, fields)

    def set_password(self, user: str, password: str) -> None:
        must_be_own(self.user(user))
        self._change(user, {"password": password})

    def end_tokens(self, user: str) -> None:
        self._change(user, {"tokens_from": self._clock()})

    def _change(self, user: str, fields: dict[str, Any]) -> None:
        if "password" in fields:
            fields["password"] = hashed(fields["password"])
        lost = "password" in fields or fields.get("enabled") is False
        after = {**self.user(user), **fields, **({"tokens_from": self._clock()} if lost else {})}
        declared = self.is_declared((USER, user))
        self.write(login_of(user, after, self.since) if declared else {(USER, user): after})

    def remove_user(self, user: str) -> None:
        self.user(user)
        self.write({(USER, user): None, **all_of(self.known(), user)})

    def _merged(self, stored: Known, declared: Known) -> tuple[dict[Key, Record], dict[Key, Record | None]]:
        return merged(stored, declared, self.since)

    # Groups

    def group(self, name: str) -> Record:
        found = self.known().get((GROUP, name))
        if found is None:
            raise not_found("Group", name)
        return found

    def groups_of(self, user: str) -> list[str]:
        return held.groups_of(self.known(), user)

    def members_of(self, group: str) -> list[str]:
        told = [user for user, one in self.of_kind(USER) if group in one.get("groups", ())]  # by a provider
        return [*self.group(group)["members"], *told]

    def add_group(self, name: str, description: str, **more: Any) -> str:
        return self._add(GROUP, {"name": name, "description": description, "members": [], **more})

    def change_group(self, group: str, **fields: Any) -> None:
        self.write({(GROUP, group): {**self.group(group), **fields}})

    def remove_group(self, group: str) -> None:
        self.group(group)
        roles = [key for key, one in self.known().items() if key[0] == ASSIGNMENT and one["user"] == group]
        self.write({(GROUP, group): None, **dict.fromkeys(roles)})

    def join(self, group: str, user: str) -> None:
        self.user(user)
        known = self.group(group)
        self.write({(GROUP, group): {**known, "members": [*without(known, user)["members"], user]}})

    def leave(self, group: str, user: str) -> None:
        known = self.group(group)
        if user not in known["members"]:
            raise not_found("User in the group", user)
        self.write({(GROUP, group): without(known, user)})

    # Roles

    def roles_in(self, user: str, where: str) -> frozenset[str]:
        """As assigned: to oneself and to one's groups, here and above."""
        return held.roles_in(self.known(), user, where)

    def may_in(self, user: str, where: str) -> frozenset[str]:
        """What a token for it says: with what those roles imply."""
        return held.with_implied(self.known(), self.roles_in(user, where))

    def assign(self, user: str, where: str, role: str, *, inherited: bool = False) -> None:
        """To a user or a group."""
        if (GROUP, user) not in self.known():
            self.user(user)
        more = {"inherited": True} if inherited else {}
        self.write({_assigned(user, where, role, inherited): {"user": user, "where": where, "role": role, **more}})

    def unassign(self, user: str, where: str, role: str, *, inherited: bool = False) -> None:
        key = _assigned(user, where, role, inherited)
        if self.is_declared(key):
            raise forbidden("The site's files give this role. It is taken away there.")
        if key not in self.known():
            raise not_found("Role assignment", role)
        self.write({key: None})

    def forget_project(self, where: str) -> None:
        words = ("where", "project", "project_id")
        self.write({key: None for key, one in self.known().items() if where in [one.get(word) for word in words]})

    # Logging in

    def log_in(self, user: str | None, name: str, password: str, source: str = "") -> str:
        """The id of the user. All that can be wrong is told in the same words, after the same time.

        `name` is what was asked for, also where nobody has it: guesses at it are counted.
        """
        self.must_not_flood(source)
        if self.lockout.locked(name):
            raise unauthenticated(BAD_LOGIN)
        record = self.known().get((USER, user or ""), {})
        if not fits(password, record.get("password", "")) or user is None or not self.may_enter(record):
            raise self.failed(name, source)
        self.lockout.passed(name)
        return user

    def by_credential(self, credential: str, secret: str, source: str = "") -> tuple[str, Record]:
        self.must_not_flood(source)
        if self.lockout.locked(credential):
            raise Fault(429, TOO_MANY.id, "Too many wrong secrets. Try again later.")
        record = self.known().get((CREDENTIAL, credential), {})
        good = hmac.compare_digest(record.get("secret", ""), digest(secret))
        user = self.known().get((USER, record.get("user", "")), {})
        if not good or not self.may_enter(user) or self._over(record):
            raise self.failed(credential, source)
        return record["user"], record

    def must_not_flood(self, source: str) -> None:
        """One address guesses at many names: it is told so, for that tells nothing of any name."""
        if source and self.addresses.locked(source):
            raise Fault(429, TOO_MANY.id, "Too many wrong passwords from this address. Try again later.")

    def failed(self, name: str, source: str) -> Fault:
        self.lockout.failed(name)
        self.addresses.failed(source)
        return unauthenticated(BAD_LOGIN)

    def may_enter(self, user: Record) -> bool:
        return bool(user.get("enabled")) and self.is_on(in_domain(user))

    def _over(self, credential: Record) -> bool:
        until = credential.get("expires")
        return until is not None and until <= self._clock()

    def issue(
        self, user: str, where: str, methods: tuple[str, ...], given: Key | None = None, until: float = inf
    ) -> Token:
        """`where` is a project's id, the system, or nothing. Who has no role there gets no token for it.

        `given` is the application credential or the trust that it comes by, `until` the end of the token.
        """
        holder = self.known()[given]["user"] if given is not None else user
        if where and not (self.may_in(holder, where) and self.is_project_on(where)):
            raise unauthenticated(BAD_LOGIN)
        credential, trust = (given[1] if given is not None and given[0] == kind else "" for kind in (CREDENTIAL, TRUST))
        now, domain = self._clock(), domain_of(where)
        project = "" if where == SYSTEM or domain else where
        audit = os.urandom(12).hex()
        return Token(
            user, project, where == SYSTEM, methods, now, min(now + LIVES, until), audit, credential, domain, trust
        )

    def revoke(self, token: Token) -> None:
        now = self._clock()
        old = {(REVOKED, name): None for name, one in self.of_kind(REVOKED) if ended(one, now)}
        self.write({**old, (REVOKED, token.audit): {"expires": token.expires}})

    def caller(self, text: str, project_of: Callable[[str], str | None]) -> Caller:
        """By what is true now: a role that was taken away counts no more, whatever the token was issued for."""
        token = self.tokens.opened(text, self._clock())
        if token is None or (REVOKED, token.audit) in self.known() or not self._is_open(token):
            return NOBODY
        given = self.known().get((TRUST, token.trust) if token.trust else (CREDENTIAL, token.credential))
        if token.is_delegated and (given is None or self._over(given)):
            return NOBODY
        holder, actor = (given["user"], given.get("trustee", token.user)) if given else (token.user, token.user)
        if not all(self._holds(token, one) for one in {token.user, holder, actor}):
            return NOBODY
        roles = self.may_in(holder, token.where)
        if given is not None:
            roles = held.with_implied(self.known(), roles & frozenset(given["roles"]))
        project = project_of(token.project) if token.project else ""
        if project is None or (token.where and not roles):
            return NOBODY
        acting = self.user(actor)["name"] if actor != token.user else ""
        name, rules = self.user(token.user)["name"], rules_of(self.known(), given or {})
        return Caller(token, token.user, name, project, roles, acting, rules, held.granted(self.known(), roles))

    def _holds(self, token: Token, user: str) -> bool:
        """For each that a token stands on: it ends with a new password of either, and when one is disabled or gone."""
        record = self.known().get((USER, user), {})
        if not self.may_enter(record) or token.issued < record.get("tokens_from", 0.0):
            return False
        return OUTSIDE not in record or (self.outside is not None and self.outside.holds(user, record, token))

    def _is_open(self, token: Token) -> bool:
        domain = token.domain or (self.domain_of_project(token.project) if token.project else DOMAIN)
        return self.is_on(domain) and self.is_project_on(token.project)


def _assigned(user: str, where: str, role: str, inherited: bool) -> Key:
    return ASSIGNMENT, f"{user}/{where}/{role}{'/inherited' if inherited else ''}"


def digest(secret: str) -> str:
    """A credential's secret is as long as a key, so no slow hash is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()
