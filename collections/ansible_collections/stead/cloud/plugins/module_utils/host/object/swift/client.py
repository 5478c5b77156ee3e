"""What this host asks its own proxy of the store, as the store's administrator."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import http.client
import json
import ssl
import time
from typing import Any, Dict, List, Mapping, NamedTuple, Optional
from urllib.parse import quote

from ...base.errors import Failed, FailureCode
from ...base.step import Want
from ...base.work import Work
from . import settings, stores

REFUSED = FailureCode("STEAD-E523", "the object store does not do what it is asked")
ADMIN = ".stead:admin"
PATIENCE = 300.0  # seconds, of a store that is just being started on busy hosts
ANSWERS_WITHIN = 60.0
LOOKS_WITHIN = 10.0  # of an observation, which other things wait for
PAUSE = 1.0


class ProxyAnswer(NamedTuple):
    status: int
    headers: Mapping[str, str]  # by names in lower case
    body: bytes


def key_of(secret: str, what: str) -> str:
    return hmac.new(secret.encode(), what.encode(), hashlib.sha256).hexdigest()


class Client:
    def __init__(self, store: Want, address: str, patience: float = PATIENCE) -> None:
        self._store, self._address, self._patience = store, address, patience
        self._token = ""
        self._within = ANSWERS_WITHIN if patience else LOOKS_WITHIN

    def ask(
        self, method: str, path: str, headers: Optional[Mapping[str, str]] = None, body: bytes = b"", query: str = ""
    ) -> ProxyAnswer:
        """Again for a while, where the store is not ready: quorums, and databases that are just being made."""
        until = time.monotonic() + self._patience
        while True:
            found = self._tried(method, path, headers or {}, body, query)
            if found is not None and found.status < 500 and found.status != 401:
                return found
            if time.monotonic() > until:
                told = "nothing" if found is None else found.status
                text = "The proxy at {0} answers {1} to {2} {3}. Look at stead-object-proxy-server.service there."
                raise Failed(REFUSED, text.format(self._address, told, method, path))
            self._token = ""
            time.sleep(PAUSE)

    def do(self, method: str, path: str, headers: Optional[Mapping[str, str]] = None, body: bytes = b"") -> ProxyAnswer:
        found = self.ask(method, path, headers, body)
        if found.status >= 300:
            raise Failed(REFUSED, "It answers {0} to {1} {2}.".format(found.status, method, path))
        return found

    def page(self, path: str, query: str = "") -> List[Dict[str, Any]]:
        """The first thousand: who lists removes them, until there are none."""
        found = self.ask("GET", path, query="format=json&limit=1000" + query)
        listed: List[Dict[str, Any]] = json.loads(found.body or b"[]") if found.status == 200 else []
        return listed

    def answers(self) -> bool:
        try:
            return self._sent("GET", "/healthcheck", {}, b"").status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False

    def _tried(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, query: str
    ) -> Optional[ProxyAnswer]:
        try:
            self._token = self._token or self._login()
            if not self._token:
                return None
            asked = quote(path) + ("?" + query if query else "")
            return self._sent(method, asked, {"X-Auth-Token": self._token, **headers}, body)
        except (OSError, http.client.HTTPException):
            return None

    def _login(self) -> str:
        told = {"X-Auth-User": ADMIN, "X-Auth-Key": key_of(stores.secret_kept(), "admin")}
        return self._sent("GET", "/auth/v1.0", told, b"").headers.get("x-auth-token", "")

    def _sent(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> ProxyAnswer:
        with contextlib.closing(self._connection()) as connection:
            connection.request(method, path, body=body, headers=dict(headers))
            answer = connection.getresponse()
            found = {name.lower(): text for name, text in answer.getheaders()}
            return ProxyAnswer(answer.status, found, answer.read())

    def _connection(self) -> http.client.HTTPConnection:
        if not self._store["tls"]:
            return http.client.HTTPConnection(self._address, self._store["port"], timeout=self._within)
        context = ssl.create_default_context(cafile=settings.CERTIFICATES + "/ca-cert.pem")
        return http.client.HTTPSConnection(self._address, self._store["port"], timeout=self._within, context=context)


def client_of(want: Want, work: Work) -> Client:
    """Who only looks does not wait, and asks a proxy that does not answer no more than once."""
    store = stores.entry_of(want["store"]["uuid"])
    address = stores.address_of(store, work)
    if not work.check:
        return Client(store, address)
    client = Client(store, address, patience=0.0)
    if not work.now.ask("object proxy " + want["store"]["uuid"], client.answers):
        raise Failed(REFUSED, "The proxy at {0} does not answer, so nothing is known of buckets.".format(address))
    return client
