"""What Identity keeps for others without reading it: credentials of users, and policies."""

from __future__ import annotations

from stead.serve.faults import bad, forbidden, not_found
from stead.serve.identity.records import ADMIN, ANYONE, Item, RecordKind
from stead.serve.identity.registry import Record
from stead.serve.routes import ID, MAYBE_ID, NAME, Call

MOST = 100  # credentials of one user
_BLOB = {"type": "string", "maxLength": 16 << 10}


def checked_credential(call: Call, said: Record, name: str) -> Record:
    user, project, people = said["user_id"] or call.caller.user, said["project_id"], call.people
    if call.caller.token is None or call.caller.token.is_delegated:
        raise forbidden("A credential is made with a token that came by a password.")
    if user != call.caller.user and not call.caller.admin:
        raise forbidden("A user has credentials of the own only.")
    people.user(user)
    if said["type"] == "ec2" and project is None:
        raise bad("A credential of type ec2 needs a project_id.")
    is_there = project is None or call.world.project(project) is not None
    if not is_there or (project and not call.caller.admin and not people.roles_in(user, project)):
        raise not_found("Project", project)
    if not name and sum(one["user_id"] == user for _, one in people.of_kind(CREDENTIALS.kind)) >= MOST:
        raise forbidden(f"A user has {MOST} credentials at most.")
    return {**said, "user_id": user}


def _is_seen(call: Call, one: Item) -> bool:
    """They are secrets: one's own, and not of whom one acts for."""
    token = call.caller.token
    mine = one["user_id"] == call.caller.user and token is not None and not token.is_delegated
    return call.caller.admin or mine


CREDENTIALS = RecordKind(
    kind="blob",
    one="credential",
    many="credentials",
    what="Credential",
    fields={"user_id": ID, "project_id": MAYBE_ID, "type": NAME, "blob": _BLOB},
    required=("type", "blob"),
    defaults={"user_id": None, "project_id": None},
    lasting=frozenset({"user_id", "project_id", "type"}),
    writes=ANYONE,
    checked=checked_credential,
    is_seen=_is_seen,
)
POLICIES = RecordKind(
    kind="policy",
    one="policy",
    many="policies",
    what="Policy",
    fields={"type": NAME, "blob": _BLOB},
    required=("type", "blob"),
    reads=ADMIN,
)
