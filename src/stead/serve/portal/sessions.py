"""Sessions of browsers: sealed into a cookie and kept nowhere, so a server that starts again logs nobody out.

A session ends by logging out, after a time without a request, after a time in any case, and with everything that ends
a token: a new password, a disabled user, a role that was taken away. Its key is another one: no cookie is a token.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets

from cryptography.fernet import Fernet, InvalidToken

from stead.core.named import NamedTuple
from stead.serve.identity.tokens import Token

IDLE, LONGEST = 1800.0, 8 * 3600.0  # seconds without a request, and in all
RENEWED = 60.0  # seconds from one new cookie to the next
ASKED = 60.0  # seconds that a token for one request holds
MOST = 4096  # characters: more is no cookie of ours


class PortalSession(NamedTuple):
    user: str
    project: str  # id; empty without one
    system: bool
    began: float
    seen: float
    audit: str  # its id: who revokes it, revokes all its tokens

    def token(self, now: float) -> Token:
        """For a request of this session to the API."""
        expires = min(now + ASKED, self.began + LONGEST)
        return Token(self.user, self.project, self.system, ("password",), self.began, expires, self.audit)

    def is_on(self, now: float) -> bool:
        return now < min(self.seen + IDLE, self.began + LONGEST)

    @property
    def whole(self) -> Token:
        """All of it, to revoke it."""
        return self.token(self.began)._replace(expires=self.began + LONGEST)


class SealedSessions:
    def __init__(self, key: str) -> None:
        self._key = hmac.digest(key.encode(), b"portal sessions", "sha256")
        self._fernet = Fernet(base64.urlsafe_b64encode(self._key))

    def sealed(self, session: PortalSession) -> str:
        return self._fernet.encrypt(json.dumps(session).encode()).decode()

    def opened(self, text: str, now: float) -> PortalSession | None:
        """None for what is forged, changed or ended."""
        if not text or len(text) > MOST:
            return None
        try:
            session = PortalSession(*json.loads(self._fernet.decrypt(text.encode())))
        except (InvalidToken, ValueError, TypeError):
            return None
        return session if session.is_on(now) else None

    def form_token(self, session: PortalSession) -> str:
        """Another one each time, so that nothing is learned from how well a page with it is compressed."""
        salt = secrets.token_hex(8)
        return f"{salt}.{self._signed(session, salt)}"

    def is_form_token(self, session: PortalSession, text: str) -> bool:
        salt, _, signed = text.partition(".")
        return hmac.compare_digest(signed.encode(), self._signed(session, salt).encode())

    def _signed(self, session: PortalSession, salt: str) -> str:
        return hmac.new(self._key, f"form {session.audit} {salt}".encode(), hashlib.sha256).hexdigest()
