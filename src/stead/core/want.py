"""What one host should have, or has, of one resource.

The fields are split in two: a body that many share (all of `web[0..999]`), and what is this one's own, kept as
canonical JSON. So a hundred thousand wants are small, are immutable, and are compared by digest without being opened.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from stead.core.blake2 import blake2b
from stead.core.diagnostics import Code, Refused
from stead.core.value import field, positional

SPOILT = Code("STEAD-X024", "the stored state of a resource cannot be read")
EMPTY = "{}"
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def canonical(value: object) -> str:
    """JSON with one form for each value, so that equal values have equal digests."""
    return _encode(value)


SEALED = '{"$secret":"'  # the start of a sealed secret in canonical JSON; keys of users never begin with $
UNKNOWN = "unknown"  # in place of every secret, where secrets must not be known
NOTHING_SEALED: frozenset[str] = frozenset()


def sealed_in(text: str) -> frozenset[str]:
    """The ids of secrets that canonical JSON refers to."""
    if SEALED not in text:
        return NOTHING_SEALED
    return frozenset(one.partition('"')[0] for one in text.split(SEALED)[1:])


def digest(*parts: str) -> str:
    return blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()


def _opened(text: str) -> dict[str, Any]:
    """Plans and stores are not parsed before they are needed, so damage by other programs is found here."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Refused(
            SPOILT.at(None, "The plan file, or what is recorded, was changed by another program. Plan again.")
        )
    return found


@positional
class Body:
    """The fields that many wants share, as canonical JSON."""

    text: str
    digest: str

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Body:
        text = canonical(fields)
        return cls(text, digest(text))

    def fields(self) -> dict[str, Any]:
        return _opened(self.text)


@positional
class Want:
    body: Body
    own: str = EMPTY
    digest: str = field(default="", compare=False)

    @classmethod
    def of(cls, body: Body, own: Mapping[str, Any] | None = None) -> Want:
        text = canonical(own) if own else EMPTY
        return cls(body, text, digest(body.digest, text))

    def fields(self) -> dict[str, Any]:
        """The whole want as a dictionary. The member's own part wins over the shared body."""
        return {**_opened(self.body.text), **_opened(self.own)}


NOTHING_KNOWN: Mapping[str, Want] = MappingProxyType({})
NOTHING = Want(Body(EMPTY, digest(EMPTY)), EMPTY, digest(digest(EMPTY), EMPTY))
