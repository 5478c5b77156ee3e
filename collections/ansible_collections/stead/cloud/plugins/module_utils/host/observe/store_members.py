"""Who keeps the store, as this controller knows it. Nothing where it keeps none."""

from __future__ import annotations

import json
import os
from typing import Any, Dict

from ..base import commands
from ..base.errors import Failed

CONFIG = "/etc/patroni/config.yml"
SECONDS = 20


def told() -> Dict[str, Any]:
    if not os.path.exists(CONFIG):
        return {}
    try:
        status, out, said = commands.attempt(["patronictl", "-c", CONFIG, "list", "--format", "json"], timeout=SECONDS)
        found = json.loads(out) if status == 0 else None
    except (Failed, ValueError) as error:
        return {"why": str(error)}
    if found is None:
        return {"why": (said.strip().splitlines() or ["patronictl said nothing"])[-1]}
    return {"members": {one["Member"]: _member(one) for one in found}}


def _member(one: Dict[str, Any]) -> Dict[str, Any]:
    lag = one.get("Lag in MB")
    return {"role": one["Role"], "state": one["State"], "lag": lag if isinstance(lag, int) else None}
