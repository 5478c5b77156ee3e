"""Tokens: sealed and signed (Fernet), short, and kept nowhere. What is kept is which were revoked, until they end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from stead.core.named import NamedTuple
from stead.serve.identity.scopes import SYSTEM, of_domain

LIVES = 3600.0  # seconds
LONGEST = 4096  # characters: more is no token of ours


class Token(NamedTuple):
    user: str
    project: str  # id, or empty: unscoped, or of the system
    system: bool
    methods: tuple[str, ...]
    issued: float
    expires: float
    audit: str  # its id
    credential: str = ""  # the application credential that it came by
    domain: str = ""  # id, of a token for a domain
    trust: str = ""  # the trust that it came by

    @property
    def is_delegated(self) -> bool:
        """It came by what a user gave to a program, or to somebody else: nothing is given on with it."""
        return bool(self.credential or self.trust)

    @property
    def where(self) -> str:
        """Where its user has to have a role; empty for a token that is for nothing."""
        if self.system:
            return SYSTEM
        return of_domain(self.domain) if self.domain else self.project


def new_key() -> str:
    return Fernet.generate_key().decode()


class Tokens:
    def __init__(self, key: str) -> None:
        self._fernet = Fernet(key.encode())

    def sealed(self, token: Token) -> str:
        return self._fernet.encrypt(json.dumps(token).encode()).decode()

    def opened(self, text: str, now: float) -> Token | None:
        """None for what is forged, changed, ended, or no token at all."""
        if not text or len(text) > LONGEST:
            return None
        try:
            user, project, system, methods, *rest = json.loads(self._fernet.decrypt(text.encode()))
            token = Token(user, project, system, tuple(methods), *rest)
        except (InvalidToken, ValueError, TypeError):
            return None
        return token if token.expires > now else None


def ended(revoked: Mapping[str, Any], now: float) -> bool:
    """Whether a revocation may be forgotten."""
    return bool(revoked.get("expires", 0.0) < now)
