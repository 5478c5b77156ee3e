"""What is known of identities: what the store has, what the site's files say beside it, and the domains of both."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from stead.core.address import parse
from stead.core.effect import Action
from stead.serve.faults import Fault, forbidden, not_found
from stead.store import Store
from stead.store.model import Audited

DOMAIN = "default"  # of what names none; it is always there
FRESH = 2.0  # seconds until what another process has written is seen
Record = Mapping[str, Any]
Key = tuple[str, str]
Known = Mapping[Key, Record]
USER, GROUP, ROLE, ASSIGNMENT, CREDENTIAL = "user", "group", "role", "assignment", "credential"
REVOKED, TOKEN_KEY, TRUST, DOMAINS, RULE = "revoked", "key", "trust", "domain", "access_rule"
IMPLICATION = "implication"  # of a role by another
LOGIN = "login"  # of a user of files: the password and the like
OF_FILES = "of_files"  # marks roles that the site's files give to users of both
MEMBER = "member"  # of a project by its `members`: a name, and a role
PROJECT = "project"  # its domain, what it is in, and whether it is on: the rest is its document's
BAD_LOGIN = "The name, the password or the project is wrong, or the account is disabled or locked."
DEFAULT: Record = {"name": "Default", "description": "Users and projects that name no other", "enabled": True}


def nothing() -> Mapping[Key, Record]:
    return {}


class IdentityRegistry:
    def __init__(self, store: Store, *, clock: Callable[[], float] = time.time) -> None:
        self._store, self._clock = store, clock
        self._lock = threading.RLock()
        self._known: dict[Key, Record] = {}
        self._declared: Mapping[Key, Record] = {}
        self._made_at: tuple[int, dict[str, float]] = (-1, {})
        self._read_at = -FRESH
        self._files: Callable[[], Mapping[Key, Record]] = nothing

    def follow_files(self, declared: Callable[[], Mapping[Key, Record]]) -> None:
        """From now on, with what the site's files say."""
        with self._lock:
            self._files, self._read_at = declared, -FRESH

    def known(self) -> Mapping[Key, Record]:
        with self._lock:
            if time.monotonic() - self._read_at <= FRESH:
                return self._known
        declared = self._files()  # it may wait for a plan, and nobody shall wait for that here
        with self._lock:
            self._known, ended = self._merged(self._store.identities(), declared)
            self._declared = {**declared, **{key: one for key, one in self._known.items() if one.get(OF_FILES)}}
            if ended:
                self._store.write_identities(ended)
            self._read_at = time.monotonic()
            return self._known

    def _merged(self, stored: Known, declared: Known) -> tuple[dict[Key, Record], dict[Key, Record | None]]:
        """All of it, and what is to be written because it ended."""
        return {**stored, **declared}, {}

    def since(self, address: str) -> float:
        """When a user of files was made last, as the history says."""
        serial = self._store.serial()
        if self._made_at[0] != serial:
            self._made_at = (serial, {})
        known = self._made_at[1]
        if address not in known and (parsed := parse(address)) is not None:
            events = self._store.history(parsed)
            known[address] = max((one.at for one in events if one.what == Action.CREATE), default=0.0)
        return known.get(address, 0.0)

    def known_now(self) -> Known:
        """For what is written back whole, so that nothing is lost that another process has just written."""
        with self._lock:
            self._read_at = -FRESH
        return self.known()

    def write(self, changed: Mapping[Key, Record | None]) -> None:
        """What the site's files say stays as it is. Who has which role by them ends with what it is in."""
        kept = {key: one for key, one in changed.items() if key not in self._declared}
        for key in changed.keys() - kept.keys():
            if key[0] != ASSIGNMENT:
                raise of_files(self._declared[key])
        with self._lock:
            self._store.write_identities(kept)
            self._read_at = -FRESH

    def is_declared(self, key: Key) -> bool:
        return key in self._declared

    def of_kind(self, kind: str) -> Iterator[tuple[str, Record]]:
        return ((name, one) for (which, name), one in self.known().items() if which == kind)

    def audit(self, entry: Audited) -> None:
        with self._lock:
            self._store.audit([entry])

    # Domains

    def domain(self, name: str) -> Record:
        found = DEFAULT if name == DOMAIN else self.known().get((DOMAINS, name))
        if found is None:
            raise not_found("Domain", name)
        return found

    def is_on(self, domain: str) -> bool:
        """Who and what is in a domain that is disabled or gone gets in nowhere."""
        return domain == DOMAIN or bool(self.known().get((DOMAINS, domain), {}).get("enabled"))


def of_files(record: Record) -> Fault:
    where = f"{record['file']} says" if "file" in record else "The site's files say"
    return forbidden(f"{where} this. It is changed there.")


def in_domain(record: Record) -> str:
    return str(record.get("domain", DOMAIN))
