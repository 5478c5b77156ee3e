"""Users whom a provider of the site knows: each has a record here, and no password.

What it says of a user holds until it is asked again. While it does not answer, that holds for an hour at most.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from stead.core.diagnostics import Code
from stead.core.named import NamedTuple
from stead.language.desired.identity import LdapSettings
from stead.serve.faults import Fault, forbidden, unauthenticated
from stead.serve.identity.declared import DeclaredIdentity, domain_id, group_id, user_id
from stead.serve.identity.registry import BAD_LOGIN, USER, Record, in_domain
from stead.serve.identity.tokens import LIVES, Token

if TYPE_CHECKING:
    from stead.serve.identity.ldap_directory import DirectorySession, DirectoryUser, LdapDirectory
    from stead.serve.identity.people import People

logger = logging.getLogger("stead.serve")
AWAY = Code("STEAD-W013", "the site's directory does not answer")
OUTSIDE = "outside"  # of a user's record: the provider's id of the user
AT_ONCE = 8  # requests to directories; others wait so long, and are told to come again
WAITING = 5.0  # seconds
RETRY = 5.0  # seconds until a directory that is away is asked again


class KnownThen(NamedTuple):
    at: float
    is_there: bool


class OutsideUsers:
    def __init__(self, people: People, declared: DeclaredIdentity) -> None:
        self._people, self._declared = people, declared
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        self._directories: dict[str, tuple[LdapSettings, LdapDirectory]] = {}
        self._away_until: dict[str, float] = {}
        self._known: dict[str, KnownThen] = {}  # by user
        self._asking: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def has(self, domain: str) -> bool:
        return self._settings(domain) is not None

    def log_in(self, domain: str, user: str | None, name: str, password: str, source: str) -> str:
        """The id of the user. Guesses are counted by who is meant, however the name is written."""
        self._people.must_not_flood(source)
        record = self._people.known().get((USER, user or ""), {})
        with self._session(domain) as session:
            found = session.with_id(record[OUTSIDE]) if record else session.named(name)
            meant = user_id(domain, found.id) if found is not None else f"{domain} {name.casefold()}"
            if self._people.lockout.locked(meant):
                raise unauthenticated(BAD_LOGIN)
            good = session.accepts(found, password)
        if not good or found is None:
            raise self._people.failed(meant, source)
        self._people.lockout.passed(meant)
        return self._entered(domain, found)

    def _entered(self, domain: str, found: DirectoryUser) -> str:
        user = user_id(domain, found.id)
        self._keep(user, domain, found)
        if not self._people.may_enter(self._people.user(user)):
            raise unauthenticated(BAD_LOGIN)
        return user

    def _keep(self, user: str, domain: str, found: DirectoryUser) -> None:
        people = self._people
        before = people.known().get((USER, user), {"enabled": True})
        groups = [group_id(domain, one) for one in found.groups]
        said: dict[str, Any] = {"name": found.name, "password": "", "domain": domain, OUTSIDE: found.id}
        after = {**before, **said, "email": found.mail or None, "groups": groups}
        for one, known in list(people.of_kind(USER)):
            if (known["name"], in_domain(known)) == (found.name, domain) and one != user:
                people.write({(USER, one): {**known, "name": f"{found.name} {one[:8]}"}})  # who had it before
        if after != before:
            people.write({(USER, user): after})
        self._known[user] = KnownThen(people.now(), is_there=True)

    def holds(self, user: str, record: Record, token: Token) -> bool:
        """Whether a token may still stand on this user."""
        settings = self._settings(in_domain(record))
        if settings is None:
            return False
        then, now = self._known.get(user), self._people.now()
        if then is not None and now - then.at < settings.recheck:
            return then.is_there
        lock = self._asking[user]
        if not lock.acquire(blocking=then is None):
            return then is None or then.is_there  # another request is asking
        try:
            return self._asked_again(user, record, token)
        finally:
            lock.release()

    def _asked_again(self, user: str, record: Record, token: Token) -> bool:
        domain, then, now = in_domain(record), self._known.get(user), self._people.now()
        try:
            with self._session(domain) as session:
                found = session.with_id(record[OUTSIDE])
        except Fault:
            since = then.at if then is not None and then.is_there else 0.0
            return now - max(since, 0.0 if token.is_delegated else token.issued) < LIVES
        if found is not None:
            self._keep(user, domain, found)
        self._known[user] = KnownThen(now, is_there=found is not None)
        return found is not None

    def _settings(self, domain: str) -> LdapSettings | None:
        providers = self._declared.settings.providers
        return next((one for name, one in providers.items() if domain_id(name) == domain), None)

    @contextmanager
    def _session(self, domain: str) -> Iterator[DirectorySession]:
        from stead.serve.identity.ldap_directory import DirectoryAway

        if time.monotonic() < self._away_until.get(domain, 0.0) or not self._slots.acquire(timeout=WAITING):
            raise _away()
        try:
            with self._directory(domain).session() as session:
                yield session
        except DirectoryAway as error:
            logger.warning("%s: %s", AWAY.id, error)
            self._away_until[domain] = time.monotonic() + RETRY
            raise _away() from error
        finally:
            self._slots.release()

    def _directory(self, domain: str) -> LdapDirectory:
        from stead.serve.identity.ldap_directory import LdapDirectory

        settings = self._settings(domain)
        if settings is None:
            raise unauthenticated(BAD_LOGIN)
        known = self._directories.get(domain)
        if known is None or known[0] != settings:
            known = self._directories[domain] = (settings, LdapDirectory(settings))
        return known[1]


def _away() -> Fault:
    return Fault(503, AWAY.id, "The directory of this domain does not answer. Try again later.")


def must_be_own(record: Record) -> None:
    """A name and a password that the provider has are changed there."""
    if OUTSIDE in record:
        raise forbidden("The user is one of the site's directory. Name and password are changed there.")
