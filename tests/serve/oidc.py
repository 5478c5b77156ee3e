"""A real OpenID provider on loopback (oidc-provider-mock), which also signs with a key of the tests."""

from __future__ import annotations

import base64
import contextlib
import hmac
import io
import json
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import werkzeug.serving
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import oidc_provider_mock  # type: ignore[import-untyped]

CLIENT = "stead"


class Provider:
    """`asked` has what came to it; `changed` may answer in its place."""

    def __init__(self, port: int, users: Iterable[oidc_provider_mock.User]) -> None:
        self.url = f"http://localhost:{port}"
        self.key = RSAKey.generate_key(2048, {"kid": "of-tests", "use": "sig", "alg": "RS256"})
        self.curve = ECKey.generate_key("P-256", {"kid": "curve", "use": "sig"})
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.changed: dict[str, Any] = {}
        self._app = oidc_provider_mock.app(require_nonce=True, user_claims=list(users))
        self._server = werkzeug.serving.make_server("localhost", port, self, threaded=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path in self.changed:
            start("200 OK", [("content-type", "application/json")])
            return [json.dumps(self.changed[path]).encode()]
        body = b""
        if environ["REQUEST_METHOD"] == "POST":
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = io.BytesIO(body)
        form = dict(urllib.parse.parse_qsl(body.decode() or environ.get("QUERY_STRING", "")))
        self.asked.append((path, form))
        answer = b"".join(self._app(environ, (lambda *_: None) if path == "/jwks" else start))
        if path == "/jwks":
            told = json.loads(answer)
            told["keys"] += [self.key.as_dict(private=False), self.curve.as_dict(private=False)]
            told["keys"].append({"kty": "oct", "kid": "secret", "k": "c2VjcmV0"})
            start("200 OK", [("content-type", "application/json")])
            return [json.dumps(told).encode()]
        return [answer]

    def claims(self, **more: Any) -> dict[str, Any]:
        now = int(time.time())
        said = {"iss": self.url, "aud": CLIENT, "sub": "s-lena", "preferred_username": "lena", "groups": ["web-team"]}
        return {key: one for key, one in {**said, "iat": now, "exp": now + 300, **more}.items() if one is not None}

    def token(self, *, header: dict[str, Any] | None = None, key: Any = None, **claims: Any) -> str:
        said = header or {"alg": "RS256", "kid": "of-tests"}
        algorithms = ["RS256", "ES256"]
        return jws.serialize_compact(said, json.dumps(self.claims(**claims)), key or self.key, algorithms=algorithms)

    def signed_with(self, secret: bytes, kid: str) -> str:
        """By hand: the library refuses to take a public key for a secret, which is what confuses keys."""
        parts = ({"alg": "HS256", "kid": kid}, self.claims(groups=["cloud-admins"]))
        text = ".".join(coded(json.dumps(one).encode()) for one in parts)
        return f"{text}.{coded(hmac.digest(secret, text.encode(), 'sha256'))}"


def coded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@contextlib.contextmanager
def provider(port: int) -> Iterator[Provider]:
    users = [
        oidc_provider_mock.User(
            sub="s-lena",
            claims={"preferred_username": "lena", "email": "lena@example.org", "groups": ["web-team", "other"]},
        ),
        oidc_provider_mock.User(sub="s-kim", claims={"preferred_username": "kim"}),
        oidc_provider_mock.User(sub="s-nameless", claims={}),
    ]
    found = Provider(port, users)
    try:
        yield found
    finally:
        found.close()


def authorized(url: str, sub: str) -> str:
    """What a person does in the provider's page; where the browser is sent then."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_args: Any, **_more: Any) -> None:
            return None

    data = urllib.parse.urlencode({"sub": sub}).encode()
    try:
        urllib.request.build_opener(Stay).open(url, data=data, timeout=10)
    except urllib.error.HTTPError as error:
        with error:
            return str(error.headers["location"])
    raise AssertionError("the provider does not send the browser back")
