"""The site's providers of identities, reached so that one that is slow or away keeps nobody else waiting."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from stead.core.diagnostics import Code
from stead.language.desired.identity import LdapSettings, OidcSettings
from stead.serve.faults import Fault, not_found
from stead.serve.identity.declared import DeclaredIdentity, domain_id
from stead.serve.identity.outside_user import ProviderAway

if TYPE_CHECKING:
    from stead.serve.identity.ldap_directory import DirectorySession, LdapDirectory
    from stead.serve.identity.oidc_provider import OidcProvider

logger = logging.getLogger("stead.serve")
AWAY = Code("STEAD-W013", "the site's provider of identities does not answer")
AT_ONCE = 8  # requests to providers; others wait so long, and are told to come again
WAITING = 5.0  # seconds
RETRY = 5.0  # seconds until one that is away is asked again


class ReachedProviders:
    """By the names of their domains."""

    def __init__(self, declared: DeclaredIdentity) -> None:
        self._declared = declared
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        self._away_until: dict[str, float] = {}
        self._directories: dict[str, tuple[LdapSettings, LdapDirectory]] = {}
        self._oidc: dict[str, tuple[OidcSettings, OidcProvider]] = {}

    def settings(self, domain: str) -> LdapSettings | OidcSettings | None:
        """Of the one with this id of its domain."""
        providers = self._declared.settings.providers
        return next((one for name, one in providers.items() if domain_id(name) == domain), None)

    def titles(self) -> list[tuple[str, str]]:
        """Name and title of those where people log in with a browser."""
        return [(name, one.title or name) for name, one in self._declared.settings.oidc.items()]

    def forget_faults(self) -> None:
        self._away_until.clear()

    @contextmanager
    def directory(self, domain: str) -> Iterator[DirectorySession]:
        from stead.serve.identity.ldap_directory import LdapDirectory

        settings = self.settings(domain)
        if not isinstance(settings, LdapSettings):
            raise not_found("Directory")
        known = self._directories.get(domain)
        if known is None or known[0] != settings:
            known = self._directories[domain] = (settings, LdapDirectory(settings))
        with self._reached(domain), known[1].session() as session:
            yield session

    @contextmanager
    def oidc(self, name: str) -> Iterator[OidcProvider]:
        from stead.serve.identity.oidc_provider import OidcProvider

        settings = self._declared.settings.oidc.get(name)
        if settings is None:
            raise not_found("Identity provider", name)
        known = self._oidc.get(name)
        if known is None or known[0] != settings:
            known = self._oidc[name] = (settings, OidcProvider(settings))
        with self._reached(name):
            yield known[1]

    @contextmanager
    def _reached(self, name: str) -> Iterator[None]:
        if time.monotonic() < self._away_until.get(name, 0.0) or not self._slots.acquire(timeout=WAITING):
            raise _away()
        try:
            yield
        except ProviderAway as error:
            logger.warning("%s: %s", AWAY.id, error)
            self._away_until[name] = time.monotonic() + RETRY
            raise _away() from error
        finally:
            self._slots.release()


def _away() -> Fault:
    return Fault(503, AWAY.id, "The directory or provider of this domain does not answer. Try again later.")
