"""What packets meet at interfaces for which no security group is said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stead.core.wiring import RulesWiring


def wired(wants: Sequence[Mapping[str, Any]]) -> Iterator[RulesWiring]:
    group = next((one["default_group"] for one in wants if "default_group" in one), None)
    if group is not None:
        yield RulesWiring(group["name"], group["rules"], group["sets"])
