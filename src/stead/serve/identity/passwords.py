"""Passwords: argon2id hashes, and lockouts of names that are guessed at and of addresses that guess.

A name that nobody has costs as much as any other.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LONGEST = 1024  # characters of a password: a hash of a megabyte is work for nothing
ATTEMPTS, LOCKED = 5, 300.0  # wrong ones in a row, and for how many seconds the name is locked then
AT_ONCE = 2  # hashes: each takes 64 MiB
MOST_NAMES = 10_000  # that are remembered as guessed at

_hasher = PasswordHasher()
_slots = threading.BoundedSemaphore(AT_ONCE)
_nobody = ""


def hashed(password: str) -> str:
    with _slots:
        return _hasher.hash(password)


def fits(password: str, known: str) -> bool:
    """`known` is empty where nobody has the name: that takes as long."""
    global _nobody  # noqa: PLW0603 - made when it is first needed
    with _slots:
        if not known and not _nobody:
            _nobody = _hasher.hash("nobody")
        try:
            return _hasher.verify(known or _nobody, password[:LONGEST]) and bool(known)
        except (VerificationError, InvalidHashError):
            return False


class Lockout:
    def __init__(
        self, *, attempts: int = ATTEMPTS, lasts: float = LOCKED, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._attempts, self._lasts, self._clock = attempts, lasts, clock
        self._wrong: dict[str, tuple[int, float]] = {}

    def locked(self, name: str) -> bool:
        count, since = self._wrong.get(name, (0, 0.0))
        return count >= self._attempts and self._clock() - since < self._lasts

    def failed(self, name: str) -> None:
        count, since = self._wrong.get(name, (0, 0.0))
        if self._clock() - since >= self._lasts:
            count = 0
        if len(self._wrong) >= MOST_NAMES:
            self._wrong.pop(next(iter(self._wrong)))
        self._wrong[name] = (count + 1, self._clock())

    def passed(self, name: str) -> None:
        self._wrong.pop(name, None)
