"""Whose a token of `stead serve` is. The API itself is asked: only it can tell, and no host can make a token.

An answer is believed for a minute, so that is how long a revoked token is still good. While the API does not answer,
who was known a short while ago goes on. Nothing else of the store needs the API.
"""

from __future__ import annotations

import base64
import calendar
import hashlib
import http.client
import json
import ssl
import time
import uuid
from threading import BoundedSemaphore
from typing import Any, Mapping, NamedTuple, Optional, Sequence
from urllib.parse import urlsplit

SIGN = "gAAAA"  # what each of the API's tokens begins with
LONGEST = 4096
BELIEVED = 60.0  # seconds
ALONE = 600.0  # seconds without an answer of the API
WAITS = 10.0
MOST = 10_000  # tokens that are remembered
AT_ONCE = 8  # questions, of a proxy's process
FORM = "%Y-%m-%dT%H:%M:%S"
LARGEST = 1 << 20  # bytes of an answer
# Of roles by their ids: anybody may call another role by the same name.
READER, MEMBER = (uuid.uuid5(uuid.NAMESPACE_OID, "stead role " + name).hex for name in ("reader", "member"))


class ApiSilentError(Exception):
    """The API does not answer, so nobody knows whose a token is."""


class TokenHolder(NamedTuple):
    """What a token lets do."""

    user: str
    account: str
    writes: bool


class RememberedToken(NamedTuple):
    holder: Optional[TokenHolder]
    asked: float
    ends: float  # the token itself


class ApiTokens:
    def __init__(self, api: Mapping[str, Any]) -> None:
        self._url = urlsplit(api["url"])
        self._context = _trusting(api.get("authority", ())) if self._url.scheme == "https" else None
        self._known: dict[bytes, RememberedToken] = {}
        self._questions = BoundedSemaphore(AT_ONCE)

    def holder(self, token: str) -> Optional[TokenHolder]:
        """None for one that is not good, or good for nothing here."""
        if len(token) > LONGEST:
            return None
        mark, now = hashlib.sha256(token.encode()).digest(), time.time()
        known = self._known.get(mark)
        if known is not None and now < min(known.asked + BELIEVED, known.ends):
            return known.holder
        try:
            found = self._asked(token, now)
        except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError) as error:
            if known is not None and now < min(known.asked + ALONE, known.ends):
                return known.holder
            raise ApiSilentError(str(error)) from error
        self._remember(mark, found)
        return found.holder if found else None

    def _remember(self, mark: bytes, found: Optional[RememberedToken]) -> None:
        """What is not good is not remembered: there is no end of it."""
        self._known.pop(mark, None)
        if found is not None:
            while len(self._known) >= MOST:
                self._known.pop(next(iter(self._known)))
            self._known[mark] = found

    def _asked(self, token: str, now: float) -> Optional[RememberedToken]:
        with self._questions:
            status, content = self._sent(token)
        if status in (401, 403, 404):
            return None
        if status != 200:
            raise ValueError("it answers {}".format(status))
        told = json.loads(content)["token"]
        return RememberedToken(holder_of(told), now, calendar.timegm(time.strptime(told["expires_at"][:19], FORM)))

    def _sent(self, token: str) -> tuple[int, bytes]:
        connection = self._connection()
        try:
            headers = {"X-Auth-Token": token, "X-Subject-Token": token}
            connection.request("GET", self._url.path.rstrip("/") + "/identity/v3/auth/tokens", headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read(LARGEST)
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._url.hostname or "", self._url.port
        if self._context is None:
            return http.client.HTTPConnection(host, port, timeout=WAITS)
        return http.client.HTTPSConnection(host, port, timeout=WAITS, context=self._context)


def _trusting(authority: Sequence[str]) -> ssl.SSLContext:
    """These alone, or those of the host where there are none."""
    return ssl.create_default_context(cadata=b"".join(map(base64.b64decode, authority)) or None)


def holder_of(told: Mapping[str, Any]) -> Optional[TokenHolder]:
    """By what the API says of a token: one for a project, with a role there.

    One that was given for certain requests alone is good for none here: its rules know no accounts.
    """
    roles = {one["id"] for one in told.get("roles", ())}
    limited = "access_rules" in told.get("application_credential", {})
    if "project" not in told or limited or not roles & {READER, MEMBER}:
        return None
    account = uuid.UUID(told["project"]["id"])  # nothing else of it can be in a list of groups
    user = "".join(one for one in told["user"]["id"] if one.isalnum())
    return TokenHolder(user, str(account), MEMBER in roles)
