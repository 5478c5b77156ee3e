"""Why a volume cannot move to another host or pool with what is on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.core.observed import Host
from stead.drivers.storage import MOVE, refusal


def stays(have: Mapping[str, Any], want: Mapping[str, Any], _source: Host, _target: Host) -> str:
    return refusal(have.get("pool"), MOVE) or refusal(want.get("pool"), MOVE)
