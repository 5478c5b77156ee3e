"""Pools of a host as its inventory declares them: read as the planner does, in the little that is needed."""

from __future__ import annotations

import os

from ..base import paths
from .pools import FILES

# Of these a host has a directory; the others are devices.
DIRECTORIES = FILES


def pools(value):
    """name -> {"type": …, "path": …} of the variable stead_pools, in each of the forms that it has."""
    if isinstance(value, str):
        value = {"default": value} if value else {}
    found = {}
    for name, one in sorted((value or {}).items()):
        body = one if isinstance(one, dict) else {}
        kind = body.get("type") or "dir"
        path = body.get("path") or (os.path.join(paths.POOLS, name) if kind in DIRECTORIES else "")
        found[name] = {"type": kind, "path": path}
    return found


def directories(value):
    """Those that a host has to have. A path of the administrator's own may well exist."""
    return [one["path"] for one in pools(value).values() if one["type"] in DIRECTORIES]
