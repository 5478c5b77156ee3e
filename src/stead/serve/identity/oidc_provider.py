"""An OpenID provider: where people log in, and whether a token is one of its own, and meant for us.

Only signatures with a pair of keys count. A token that is signed with a secret, or not at all, is none, whatever
its header says; and keys come from the provider that the site's files name, never from a token.
"""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http.client import HTTPException
from typing import Any
from urllib.error import URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, OpenerDirector, Request, build_opener

from joserfc import jws
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import ECKey, RSAKey, import_key

from stead.core.diagnostics import Refused
from stead.language.desired.identity import OidcSettings
from stead.serve.identity.outside_user import OutsideUser, ProviderAway
from stead.serve.identity.secret_files import must_be_certificates, secret_of

ALGORITHMS = tuple(f"{kind}{bits}" for kind in ("RS", "PS", "ES") for bits in (256, 384, 512))
BASIC = "client_secret_basic"  # how a client proves who it is, where a provider does not say
NO_HEADERS: Mapping[str, str] = {}
LARGEST, LONGEST = 1 << 20, 16 << 10  # bytes of an answer, characters of a token
KEPT, SOONEST = 3600.0, 30.0  # seconds until keys are fetched again, and until that is done for an unknown one
LEEWAY = 30.0  # seconds by which clocks may differ


class BadToken(Exception):  # noqa: N818 - whose fault it is, nobody is told
    """It is none of the provider's, not for us, or not for now."""


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        return None


class OidcProvider:
    def __init__(self, settings: OidcSettings) -> None:
        self._settings, self._lock = settings, threading.Lock()
        self._facts: tuple[float, Mapping[str, Any]] | None = None
        self._keys: tuple[float, Mapping[str, RSAKey | ECKey]] | None = None

    def must_be_ready(self) -> None:
        if self._settings.ca:
            must_be_certificates(self._settings.ca)
        if self._settings.client_secret_file:
            secret_of(self._settings.client_secret_file)

    def address(self, *, back: str, state: str, nonce: str, verifier: str) -> str:
        """Where a browser goes, and comes `back` from with a code that is of use to who has the verifier."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": back,
            "scope": " ".join(self._settings.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        there = self._endpoint("authorization_endpoint")
        return f"{there}{'&' if urlsplit(there).query else '?'}{urlencode(asked)}"

    def token_for(self, code: str, *, back: str, verifier: str) -> str:
        """The ID token; who it is, `user` tells."""
        said = self._settings
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": verifier}
        form["client_id"] = said.client_id
        there, headers = self._endpoint("token_endpoint"), {}
        if said.client_secret_file:
            secret = secret_of(said.client_secret_file)
            if BASIC in self._known_facts().get("token_endpoint_auth_methods_supported", (BASIC,)):
                both = ":".join(quote(one, safe="") for one in (said.client_id, secret))
                headers["authorization"] = f"Basic {base64.b64encode(both.encode()).decode()}"
            else:
                form["client_secret"] = secret
        answer = self._asked(there, urlencode(form).encode(), headers)
        if not isinstance(answer.get("id_token"), str):
            raise BadToken("no ID token")
        return str(answer["id_token"])

    def user(self, text: str, *, nonce: str | None = None) -> OutsideUser:
        claims = self._claims(text, is_login=nonce is not None)
        if nonce is not None and claims.get("nonce") != nonce:
            raise BadToken("it is of another login")
        said = self._settings
        id_, name = claims.get(said.user_id), claims.get(said.user_name)
        if not isinstance(id_, str) or not isinstance(name, str) or not id_ or not 1 <= len(name) <= 255:
            raise BadToken(f"it has no {said.user_id} or no {said.user_name}")
        told = claims.get(said.groups, ())
        told = [told] if isinstance(told, str) else told if isinstance(told, Sequence) else ()
        known = dict.fromkeys(one.group for one in said.roles)
        mail = claims.get(said.user_mail)
        groups = tuple(one for one in known if one in told)
        return OutsideUser(id=id_, name=name, mail=mail if isinstance(mail, str) else "", groups=groups)

    def _claims(self, text: str, *, is_login: bool) -> Mapping[str, Any]:
        """`is_login`: what the provider has just answered is for the client, whatever programs' tokens are for."""
        claims = _json(self._signed(text))
        now = time.time()
        if claims.get("iss") != self._settings.issuer:
            raise BadToken("it is another issuer's")
        audience = claims.get("aud")
        meant = [audience] if isinstance(audience, str) else audience if isinstance(audience, list) else []
        client, audience = self._settings.client_id, self._settings.audience
        ours = (client,) if is_login or not audience else (client, audience)
        if not any(one in ours for one in meant) or claims.get("azp", client) not in ours:
            raise BadToken("it is meant for another client")
        if not _is_number(claims.get("exp")) or claims["exp"] + LEEWAY <= now:
            raise BadToken("it has ended")
        for word in ("nbf", "iat"):
            if word in claims and not (_is_number(claims[word]) and claims[word] - LEEWAY <= now):
                raise BadToken("it is of the future")
        return claims

    def _signed(self, text: str) -> bytes:
        """What is in a token, if a key of the provider has signed it."""
        if len(text) > LONGEST or text.count(".") != 2:
            raise BadToken("it is no signed token")
        try:
            header = _json(base64.urlsafe_b64decode(text.partition(".")[0] + "=="))
            for key in self._meant(str(header.get("kid", "")), str(header.get("alg", ""))):
                with suppress(BadSignatureError):
                    return bytes(jws.deserialize_compact(text, key, algorithms=[*ALGORITHMS]).payload)
        except (JoseError, ValueError, TypeError, UnicodeError) as error:
            raise BadToken(f"it is not signed: {error}") from error
        raise BadToken("it is signed with a key of somebody else")

    def _meant(self, kid: str, algorithm: str) -> Sequence[RSAKey | ECKey]:
        """The key with this id; without one, all that could be meant."""
        if algorithm not in ALGORITHMS:
            raise BadToken("it is signed in no way that counts")
        kind = ECKey if algorithm.startswith("ES") else RSAKey
        for again in (False, True):
            keys = {id_: one for id_, one in self._known_keys(again=again).items() if isinstance(one, kind)}
            if found := [one for id_, one in keys.items() if kid in ("", id_)]:
                return found
        return ()

    def _known_keys(self, *, again: bool) -> Mapping[str, RSAKey | ECKey]:
        """A provider changes its keys. Who sends a token with an unknown one cannot have them fetched all the time."""
        with self._lock:
            age = time.monotonic() - self._keys[0] if self._keys is not None else KEPT
            if self._keys is None or age >= (SOONEST if again else KEPT):
                told = self._asked(self._endpoint("jwks_uri")).get("keys", ())
                self._keys = (time.monotonic(), dict(_keys(told)))
            return self._keys[1]

    def _known_facts(self) -> Mapping[str, Any]:
        now = time.monotonic()
        if self._facts is None or now - self._facts[0] >= KEPT:
            facts = self._asked(f"{self._settings.issuer.rstrip('/')}/.well-known/openid-configuration")
            if facts.get("issuer") != self._settings.issuer:
                raise ProviderAway(f"{self._settings.issuer} says that it is {facts.get('issuer')!r}.")
            self._facts = (now, facts)
        return self._facts[1]

    def _endpoint(self, word: str) -> str:
        found = self._known_facts().get(word)
        if not isinstance(found, str) or not found.startswith(("https://", *self._also)):
            raise ProviderAway(f"{self._settings.issuer} has no {word} with https.")
        return found

    @property
    def _also(self) -> tuple[str, ...]:
        return ("http://",) if self._settings.insecure else ()

    def _asked(self, url: str, form: bytes | None = None, headers: Mapping[str, str] = NO_HEADERS) -> Mapping[str, Any]:
        told = {"accept": "application/json", **headers}
        request = Request(url, data=form, headers=told)  # noqa: S310 - https, or said so
        try:
            with self._opener().open(request, timeout=self._settings.timeout) as answer:
                return _json(answer.read(LARGEST))
        except (URLError, HTTPException, OSError, ValueError, Refused) as error:
            status = getattr(error, "code", 0)
            if form is not None and 400 <= status < 500:
                raise BadToken("the code is refused") from error
            raise ProviderAway(f"{url}: {error}") from error

    def _opener(self) -> OpenerDirector:
        """No redirect is followed: it would take the client's secret elsewhere."""
        return build_opener(_Stay, HTTPSHandler(context=ssl.create_default_context(cafile=self._settings.ca or None)))


def _keys(told: Any) -> Sequence[tuple[str, RSAKey | ECKey]]:
    """Only those to verify with: a secret in the list is no key, and nothing is known of one that cannot be read."""
    found = []
    for at, one in enumerate(told if isinstance(told, list) else ()):
        if isinstance(one, Mapping) and one.get("kty") in ("RSA", "EC") and one.get("use", "sig") == "sig":
            with suppress(JoseError, ValueError, KeyError):  # the last one is a curve that the library does not have
                key = import_key({str(word): text for word, text in one.items()})
                if isinstance(key, RSAKey | ECKey):
                    found.append((str(one.get("kid", f"#{at}")), key))
    return found


def _json(content: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(content)
    except RecursionError as error:
        raise ValueError("too deep") from error
    if not isinstance(found, dict):
        raise ValueError("no object")  # noqa: TRY004 - as of anything else that is none
    return found


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
