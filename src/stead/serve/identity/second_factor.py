"""Codes of an app (TOTP, RFC 6238) as a second factor, and the receipt for the first one, as Keystone has it."""

from __future__ import annotations

import base64
import hmac
import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP

from stead.core.diagnostics import Code
from stead.core.named import NamedTuple
from stead.serve.faults import unauthenticated
from stead.serve.identity import times
from stead.serve.identity.registry import BAD_LOGIN, USER
from stead.serve.routes import ApiReply

if TYPE_CHECKING:
    from stead.serve.identity.people import People

CODE_NEEDED = Code("STEAD-W014", "a second factor is needed")
PASSWORD, TOTP = "password", "totp"  # methods; the second is the kind of its record too
RECEIPT = "openstack-auth-receipt"  # header
STEP, DIGITS = 30, 6  # seconds of a code, and its length: what every app takes
AROUND = (0, -1, 1)  # steps by which the clock of a phone may differ
HOLDS = 300.0  # seconds that a receipt is good for
ISSUER = "Stead"


def new_secret() -> str:
    return base64.b32encode(os.urandom(20)).decode()


def address_of(name: str, secret: str) -> str:
    """What an app reads, also as a picture."""
    return f"otpauth://totp/{ISSUER}:{quote(name, safe='')}?secret={secret}&issuer={ISSUER}"


def step_of(secret: str, code: str, now: float) -> int | None:
    """Which step the code is of. All are compared, so that the time it takes tells nothing."""
    steps = [int(now // STEP) + one for one in AROUND]
    fitting = [one for one in steps if hmac.compare_digest(_code(secret, one), code.encode())]
    return max(fitting, default=None)


def _code(secret: str, step: int) -> bytes:
    return HOTP(base64.b32decode(secret), DIGITS, SHA1()).generate(max(step, 0))  # noqa: S303 - as apps do


def is_asked_of(people: People, user: str) -> bool:
    return (TOTP, user) in people.known()


def enrol(people: People, user: str, secret: str, code: str) -> bool:
    """Only with a code of it, or its user would be shut out. Tokens that came by a password alone end."""
    step = step_of(secret, code, people.now())
    if step is not None:
        people.write({(TOTP, user): {"user": user, "secret": secret, "used": step}})
        people.end_tokens(user)
    return step is not None


def prove(people: People, user: str, code: str, source: str) -> None:
    """A code is good once, and so is none before it. Wrong ones are counted apart from wrong passwords."""
    people.must_not_flood(source)
    if people.codes.locked(user):
        raise unauthenticated(BAD_LOGIN)
    with people.proving:  # who sends a code twice at the same moment has one login
        known = people.known_now()[TOTP, user]
        step = step_of(known["secret"], code, people.now())
        if step is None or step <= known["used"]:
            people.codes.failed(user)
            people.addresses.failed(source)
            raise unauthenticated(BAD_LOGIN)
        people.write({(TOTP, user): {**known, "used": step}})
    people.codes.passed(user)


class LoginReceipt(NamedTuple):
    """Who has proved a first factor."""

    user: str
    issued: float
    methods: tuple[str, ...]


class SealedReceipts:
    """By a key of their own: none is a token, and no token is one."""

    def __init__(self, key: str) -> None:
        own = hmac.digest(key.encode(), b"receipts", "sha256")
        self._fernet = Fernet(base64.urlsafe_b64encode(own))

    def sealed(self, receipt: LoginReceipt) -> str:
        return self._fernet.encrypt(json.dumps(receipt).encode()).decode()

    def opened(self, text: str, people: People) -> LoginReceipt | None:
        try:
            user, issued, methods = json.loads(self._fernet.decrypt(text[:4096].encode()))
        except (InvalidToken, ValueError, TypeError):
            return None
        record = people.known().get((USER, user), {})
        good = people.may_enter(record) and record.get("tokens_from", 0.0) <= issued
        return LoginReceipt(user, issued, tuple(methods)) if good and people.now() < issued + HOLDS else None


def asked(people: People, user: str) -> ApiReply:
    """The answer to a good password alone."""
    now = people.now()
    text = SealedReceipts(people.token_key()).sealed(LoginReceipt(user, now, (PASSWORD,)))
    message = f"A code of your app is needed as well: the method {TOTP}. ({CODE_NEEDED.id})"
    body: Mapping[str, Any] = {
        "error": {"code": 401, "title": "Unauthorized", "message": message},
        "receipt": {
            "methods": [PASSWORD],
            "user": {"id": user, "name": people.user(user)["name"]},
            "issued_at": times.instant(now),
            "expires_at": times.instant(now + HOLDS),
        },
        "required_auth_methods": [[PASSWORD, TOTP]],
    }
    return ApiReply(401, body, {RECEIPT: text, "x-stead-code": CODE_NEEDED.id, "www-authenticate": "Keystone"})
