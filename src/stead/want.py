"""What one host should have, or has, of one resource.

The fields are split in two: a body that many share (all of `web[0..999]`), and what is this one's own, kept as
canonical JSON. So a hundred thousand wants are small, are immutable, and are compared by digest without being opened.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from stead.blake2 import blake2b
from stead.value import field, positional

EMPTY = "{}"
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def canonical(value: object) -> str:
    """JSON with one spelling per value, so that equal values have equal digests."""
    return _encode(value)


def digest(*parts: str) -> str:
    return blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()


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
        return dict(json.loads(self.text))


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
        """Everything, opened. What is its own wins over what is shared."""
        return {**json.loads(self.body.text), **json.loads(self.own)}


NOTHING_KNOWN: Mapping[str, Want] = MappingProxyType({})
NOTHING = Want(Body(EMPTY, digest(EMPTY)), EMPTY, digest(digest(EMPTY), EMPTY))
