"""Pools of a host as its inventory declares them: read as the planner does, in the little that is needed."""

from __future__ import annotations

from typing import Any, Dict

from ..base.work import Work
from . import drivers
from .driver import Pool, PoolRoom


def pools(value: Any) -> Dict[str, Dict[str, str]]:
    """name -> {"type": …, "path": …} of the variable stead_pools, in each of the forms that it has."""
    if isinstance(value, str):
        value = {"default": value} if value else {}
    return {name: _read(name, one if isinstance(one, dict) else {}) for name, one in sorted((value or {}).items())}


def _read(name: str, body: Pool) -> Dict[str, str]:
    found = drivers.DRIVERS.get(drivers.name_of(body))
    path = found.place(dict(body, name=name)) if found is not None else str(body.get("path") or "")
    return {"type": drivers.name_of(body), "path": path}


def prepare(value: Any, work: Work) -> None:
    """Makes what the pools of a host need, where that can be made."""
    for name, one in pools(value).items():
        if one["type"] in drivers.DRIVERS:
            drivers.DRIVERS[one["type"]].prepare(dict(one, name=name), work)


def room(pool: Pool) -> PoolRoom:
    found = drivers.DRIVERS.get(drivers.name_of(pool))
    return found.room(pool) if found is not None else {"size": 0, "free": 0}
