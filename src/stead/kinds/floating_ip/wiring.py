"""What packets meet at a floating IP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stead.core.wiring import TranslationWiring


def wired(wants: Sequence[Mapping[str, Any]]) -> Iterator[TranslationWiring]:
    want = wants[0]
    router = want.get("router", {}).get("address", "")
    inside, forwards = want.get("inside", ""), want.get("forwards", {})
    yield TranslationWiring(want["network"], want["address"], inside, router, forwards)
