"""How somebody proves who they are: by a password, a password and a code, a token, or an application credential."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from stead.core.named import NamedTuple
from stead.serve.faults import bad, unauthenticated
from stead.serve.identity import second_factor
from stead.serve.identity.registry import BAD_LOGIN, CREDENTIAL, DOMAIN, DOMAINS, USER, Key, in_domain
from stead.serve.identity.second_factor import PASSWORD, RECEIPT, TOTP, SealedReceipts
from stead.serve.routes import ID, Call, record

DOMAIN_REFERENCE = record(id=ID, name=ID)
_SECRET = {"type": "string", "maxLength": 1024}
_USER = record(id=ID, name=ID, password=_SECRET, domain=DOMAIN_REFERENCE)
_CODED = record(["passcode"], id=ID, name=ID, domain=DOMAIN_REFERENCE, passcode={"type": "string", "maxLength": 16})
IDENTITY = record(
    ["methods"],
    methods={"type": "array", "minItems": 1, "maxItems": 3, "items": {"type": "string", "maxLength": 64}},
    password=record(["user"], user=_USER),
    totp=record(["user"], user=_CODED),
    token=record(["id"], id={"type": "string", "maxLength": 4096}),
    application_credential=record(["secret"], id=ID, name=ID, secret=_SECRET, user=_USER),
)


class SecondFactorNeeded(Exception):  # noqa: N818 - half of a login is no error
    def __init__(self, user: str) -> None:
        super().__init__()
        self.user = user


class Proved(NamedTuple):
    user: str
    methods: tuple[str, ...]
    until: float = inf  # the end of the token
    given: Key | None = None  # the application credential
    where: str = ""  # the credential's project


def proved(call: Call, identity: Mapping[str, Any]) -> Proved:
    """A token says what was proved, whatever methods the request names."""
    said = {one for one in identity["methods"] if one in identity}
    if said & {PASSWORD, TOTP}:
        return _by_factors(call, identity, said)
    if "token" in said:
        old = call.people.caller(identity["token"]["id"], call.world.project)
        if old.token is None or old.token.is_delegated:
            raise unauthenticated(BAD_LOGIN)
        methods = tuple(dict.fromkeys((*old.token.methods, "token")))
        return Proved(old.user, methods, old.token.expires)  # or it would be good for ever
    if "application_credential" in said:
        user, credential, where = _by_credential(call, identity["application_credential"])
        return Proved(user, ("application_credential",), given=(CREDENTIAL, credential), where=where)
    raise bad(f"The methods are password, {TOTP}, token and application_credential.")


def _by_factors(call: Call, identity: Mapping[str, Any], said: set[str]) -> Proved:
    """A code alone proves nothing: it comes with the password, or with the receipt for it."""
    if PASSWORD in said:
        user = _by_password(call, identity[PASSWORD]["user"])
    else:
        receipt = SealedReceipts(call.people.token_key()).opened(call.headers.get(RECEIPT, ""), call.people)
        if receipt is None:
            raise unauthenticated(BAD_LOGIN)
        user = receipt.user
        call.audit["who"] = call.people.user(user)["name"]
    if not second_factor.is_asked_of(call.people, user):
        if PASSWORD not in said:
            raise unauthenticated(BAD_LOGIN)
        return Proved(user, (PASSWORD,))
    if TOTP not in said:
        raise SecondFactorNeeded(user)
    whose = identity[TOTP]["user"]
    if {"id", "name"} & whose.keys() and _user_of(call, whose)[0] != user:
        raise unauthenticated(BAD_LOGIN)
    second_factor.prove(call.people, user, whose["passcode"], call.source)
    return Proved(user, (PASSWORD, TOTP))


def _by_password(call: Call, said: Mapping[str, Any]) -> str:
    user, name = _user_of(call, said)
    call.audit["who"] = name[:64]
    domain, outside = _domain_of(call, user, said), call.people.outside
    if outside is not None and outside.has_directory(domain):
        return outside.log_in(domain, user if "id" in said else None, name, said.get("password", ""), call.source)
    return call.people.log_in(user, name, said.get("password", ""), call.source)


def _user_of(call: Call, said: Mapping[str, Any]) -> tuple[str | None, str]:
    """The id, and the name by which guesses are counted: it is the same for all ways to name somebody."""
    if "id" in said:
        user = said["id"] if (USER, said["id"]) in call.people.known() else None
        name = call.people.user(user)["name"] if user is not None else said["id"]
        return user, name
    name, domain = said.get("name", ""), domain_named(call, said.get("domain") or {"id": DOMAIN})
    user = call.people.named(name, domain) if domain else None
    return user, call.people.user(user)["name"] if user is not None else name


def _domain_of(call: Call, user: str | None, said: Mapping[str, Any]) -> str:
    if user is not None:
        return in_domain(call.people.user(user))
    return domain_named(call, said.get("domain") or {"id": DOMAIN})


def domain_named(call: Call, said: Mapping[str, Any]) -> str:
    """The id of the domain with this id or name; empty where there is none."""
    known = {DOMAIN: "Default", **{id_: one["name"] for id_, one in call.people.of_kind(DOMAINS)}}
    if "id" in said:
        return str(said["id"]) if said["id"] in known else ""
    name = str(said.get("name", "")).lower()
    return next((id_ for id_, one in known.items() if one.lower() == name), "")


def _by_credential(call: Call, said: Mapping[str, Any]) -> tuple[str, str, str]:
    name = said.get("id", "")
    if not name and said.get("user"):
        user, _ = _user_of(call, said["user"])
        found = (
            one
            for one, known in call.people.of_kind(CREDENTIAL)
            if (known["user"], known["name"]) == (user, said.get("name"))
        )
        name = next(found, "")
    user, known = call.people.by_credential(name, said["secret"], call.source)
    return user, name, known["project"]
