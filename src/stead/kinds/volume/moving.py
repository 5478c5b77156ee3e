"""Why a volume cannot move to another host with what is on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.core.observed import Host
from stead.drivers.storage import MOVE, can, refusal


def stays(have: Mapping[str, Any], _source: Host, target: Host) -> str:
    pool = have.get("pool") or {}
    there = target.pools.get(str(pool.get("name", "")))
    return refusal(pool, MOVE) or ("" if there is None or (cell := can(there.type, MOVE)).can else cell.text)
