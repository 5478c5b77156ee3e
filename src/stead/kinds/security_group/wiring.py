"""What packets meet at the interfaces in a security group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stead.core.wiring import RulesWiring


def wired(wants: Sequence[Mapping[str, Any]]) -> Iterator[RulesWiring]:
    want = wants[0]
    yield RulesWiring(want["name"], want["rules"], want["sets"], want["stateful"])
