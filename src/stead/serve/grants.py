"""Consoles of servers for those who may change them: by a token that opens one console once, within a minute.

The server reaches the guest as it reaches hosts, by SSH. No user is told a host, and no port of a host is open for it.
What is typed goes to the guest's console and nowhere else: see `opener` of the command line.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from enum import StrEnum

from stead.core.address import Address
from stead.core.named import NamedTuple
from stead.serve.faults import TOO_MANY, Fault
from stead.serve.identity.tokens import Token
from stead.serve.world import KnownResource

HOLDS = 60.0  # seconds from the token to the console
AT_ONCE, OF_ONE = 50, 5  # consoles that are open: of all users, and of one
MOST, MOST_OF_ONE = 1000, 20  # tokens that wait: of all users, and of one


class ConsoleForm(StrEnum):
    """As the API calls them."""

    SERIAL = "serial"
    SCREEN = "novnc"


class ConsoleGrant(NamedTuple):
    token: Token  # of who asked
    address: Address
    id: str  # of the server
    name: str
    form: ConsoleForm
    until: float


class ConsoleGrants:
    """Which console may be opened by which token, and how many are open. Nothing of it is kept."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._waiting: dict[str, ConsoleGrant] = {}
        self._open: list[str] = []  # users

    def give(self, token: Token, thing: KnownResource, form: ConsoleForm) -> str:
        now = self._clock()
        with self._lock:
            self._waiting = {key: one for key, one in self._waiting.items() if one.until > now}
            own = sum(one.token.user == token.user for one in self._waiting.values())
            if own >= MOST_OF_ONE or len(self._waiting) >= MOST:
                raise Fault(429, TOO_MANY.id, "Too many consoles are asked for. Try again in a minute.")
            key = secrets.token_urlsafe(32)
            self._waiting[key] = ConsoleGrant(token, thing.address, thing.id, thing.name, form, now + HOLDS)
        return key

    def seen(self, key: str) -> ConsoleGrant | None:
        """To show a page for it; it still opens its console."""
        found = self._waiting.get(key)
        return found if found is not None and found.until > self._clock() else None

    def taken(self, key: str) -> ConsoleGrant | None:
        """Once."""
        with self._lock:
            found = self._waiting.pop(key, None)
        return found if found is not None and found.until > self._clock() else None

    def opened(self, user: str) -> bool:
        """Whether one more may be open; `closed` must follow."""
        with self._lock:
            if len(self._open) >= AT_ONCE or self._open.count(user) >= OF_ONE:
                return False
            self._open.append(user)
            return True

    def closed(self, user: str) -> None:
        with self._lock:
            self._open.remove(user)
