"""Users whom a provider of the site knows: each has a record here, and no password.

What it says of a user holds until it is asked again. While it does not answer, that holds for an hour at most.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from stead.core.named import NamedTuple
from stead.language.desired.identity import LdapSettings, OidcSettings
from stead.serve.faults import Fault, forbidden, unauthenticated
from stead.serve.identity.declared import DeclaredIdentity, domain_id, group_id, user_id
from stead.serve.identity.outside_user import OutsideUser
from stead.serve.identity.reaching import ReachedProviders
from stead.serve.identity.registry import BAD_LOGIN, USER, Record, in_domain
from stead.serve.identity.tokens import LIVES, Token

if TYPE_CHECKING:
    from stead.serve.identity.people import People

logger = logging.getLogger("stead.serve")
OUTSIDE = "outside"  # of a user's record: the provider's id of the user


class KnownThen(NamedTuple):
    at: float
    is_there: bool


class OutsideUsers:
    def __init__(self, people: People, declared: DeclaredIdentity) -> None:
        self._people, self.providers = people, ReachedProviders(declared)
        self._known: dict[str, KnownThen] = {}  # by user
        self._asking: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def has_directory(self, domain: str) -> bool:
        return isinstance(self.providers.settings(domain), LdapSettings)

    def log_in(self, domain: str, user: str | None, name: str, password: str, source: str) -> str:
        """The id of the user. Guesses are counted by who is meant, however the name is written."""
        self._people.must_not_flood(source)
        record = self._people.known().get((USER, user or ""), {})
        with self.providers.directory(domain) as session:
            found = session.with_id(record[OUTSIDE]) if record else session.named(name)
            meant = user_id(domain, found.id) if found is not None else f"{domain} {name.casefold()}"
            if self._people.lockout.locked(meant):
                raise unauthenticated(BAD_LOGIN)
            good = session.accepts(found, password)
        if not good or found is None:
            raise self._people.failed(meant, source)
        self._people.lockout.passed(meant)
        return self._entered(domain, found)

    def by_token(self, name: str, text: str, source: str) -> str:
        """The id of the user of whom a token of the provider is. Why one is none, only the log knows."""
        from stead.serve.identity.oidc_provider import BadToken

        self._people.must_not_flood(source)
        try:
            with self.providers.oidc(name) as provider:
                found = provider.user(text)
        except BadToken as error:
            logger.info("a token of %s is refused: %s", name, error)
            raise self._people.failed(f"{domain_id(name)} token", source) from error
        return self._entered(domain_id(name), found, seen=self._people.now())

    def _entered(self, domain: str, found: OutsideUser, **more: Any) -> str:
        user = user_id(domain, found.id)
        self._keep(user, domain, found, **more)
        if not self._people.may_enter(self._people.user(user)):
            raise unauthenticated(BAD_LOGIN)
        return user

    def _keep(self, user: str, domain: str, found: OutsideUser, **more: Any) -> None:
        people = self._people
        before = people.known_now().get((USER, user), {"enabled": True})
        groups = [group_id(domain, one) for one in found.groups]
        said: dict[str, Any] = {"name": found.name, "password": "", "domain": domain, OUTSIDE: found.id, **more}
        after = {**before, **said, "email": found.mail or None, "groups": groups}
        for one, known in list(people.of_kind(USER)):
            if (known["name"], in_domain(known)) == (found.name, domain) and one != user:
                people.write({(USER, one): {**known, "name": f"{found.name} {one[:8]}"}})  # who had it before
        if after != before:
            people.write({(USER, user): after})
        self._known[user] = KnownThen(people.now(), is_there=True)

    def holds(self, user: str, record: Record, token: Token) -> bool:
        """Whether a token may still stand on this user."""
        settings, now = self.providers.settings(in_domain(record)), self._people.now()
        if settings is None:
            return False
        if isinstance(settings, OidcSettings):  # it tells nothing of users who do not log in
            return bool(now - record.get("seen", 0.0) < settings.remembered)
        then = self._known.get(user)
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
            with self.providers.directory(domain) as session:
                found = session.with_id(record[OUTSIDE])
        except Fault:
            if then is not None and not then.is_there:
                return False  # as it said last
            since = then.at if then is not None else 0.0
            return now - max(since, 0.0 if token.is_delegated else token.issued) < LIVES
        if found is not None:
            self._keep(user, domain, found)
        self._known[user] = KnownThen(now, is_there=found is not None)
        return found is not None


def must_be_own(record: Record) -> None:
    """A name and a password that the provider has are changed there."""
    if OUTSIDE in record:
        raise forbidden("The user is one of the site's directory or provider. Name and password are changed there.")
