"""What roles let one do, and who asks. A role is known by its key: a fixed one's is its name, a made one's its id."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from stead.core.named import NamedTuple
from stead.serve.identity.tokens import Token
from stead.serve.routes import AccessPolicy

ROLES = ("admin", "manager", "member", "reader")  # each implies those after it
REVIEWING = "review:"  # of which all words of its routes begin
_NEEDS = {
    AccessPolicy.READER: "reader",
    AccessPolicy.MEMBER: "member",
    AccessPolicy.MANAGER: "manager",
    AccessPolicy.ADMIN: "admin",
}


class AccessRule(NamedTuple):
    """Requests that a token is good for."""

    service: str
    method: str
    path: str  # behind the service's own


Rules = tuple[AccessRule, ...]


class Caller(NamedTuple):
    """Who asks, by a token that holds."""

    token: Token | None
    user: str  # id
    name: str
    project: str  # its name in the spec; empty without one
    roles: frozenset[str]  # keys, with those that they imply
    acting: str = ""  # who it really is, where somebody acts as the user
    rules: Rules | None = None  # None: good for all that the roles allow
    granted: frozenset[str] = frozenset()  # words of what roles of the site's files may

    @property
    def audited(self) -> str:
        return f"{self.acting} as {self.name}" if self.acting else self.name

    @property
    def granted_everywhere(self) -> frozenset[str]:
        """In the whole cloud: what a role in a project says reaches no further than the project."""
        return self.granted if self.token is not None and self.token.system else frozenset()

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
        if policy is AccessPolicy.REVIEWER:
            return self.admin or any(one.startswith(REVIEWING) for one in self.granted_everywhere)
        return _NEEDS[policy] in self.roles and (bool(self.project) or self.admin)


NOBODY = Caller(None, "", "", "", frozenset())


def rules_of(known: Mapping[tuple[str, str], Mapping[str, str]], given: Mapping[str, Any]) -> Rules | None:
    """Those of what a token came by."""
    rules = [known["access_rule", name] for name in given.get("rules") or ()]
    return tuple(AccessRule(one["service"], one["method"], one["path"]) for one in rules) if rules else None


def role_id(key: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_OID, f"stead role {key}").hex if key in ROLES else key
