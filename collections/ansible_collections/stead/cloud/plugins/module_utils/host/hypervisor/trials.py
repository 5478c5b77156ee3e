"""Which hypervisors truly run a guest here, and what else of this host guests depend on: what the planner calls traits.

The answer is kept with a stamp of what it depends on (kernel, boot, programs), so it is found out once per boot and not
by every observation.
"""

from __future__ import annotations

import json
import os
import platform
from typing import Any, Dict, List, Optional

from ..base import paths
from ..observe import kernel
from . import drivers, processor
from .driver import Json

KEPT = paths.ROOT + "/traits.json"
# Increased when the trials themselves change.
VERSION = 5


def traits(afresh: bool = False, keep: bool = True) -> Json:
    stamp = _stamp()
    kept = None if afresh else _kept(stamp)
    if kept is not None:
        return kept
    found = {"stamp": stamp, "hypervisors": _tried(), "kernel": kernel.abilities(), "cpu": processor.described()}
    if keep and os.path.isdir(paths.ROOT):
        paths.write(KEPT, json.dumps(found, sort_keys=True))
    return found


def _tried() -> Dict[str, str]:
    """name -> why it does not work; empty where it does."""
    return {name: why for one in drivers.DRIVERS for name, why in one.trials().items()}


def hardware() -> Json:
    """What guests can have by any of the hypervisors here: sorted texts, or whether there is something."""
    found: Json = {"firmware": [], "tpm": False, "certificates": False}
    for one in drivers.DRIVERS:
        for name, value in one.hardware().items():
            found[name] = sorted({*found[name], *value}) if isinstance(value, list) else found[name] or value
    return found


def _kept(stamp: List[Any]) -> Optional[Json]:
    try:
        found: Json = json.loads(paths.read_bytes(KEPT) or b"{}")
    except ValueError:
        return None
    return found if found.get("stamp") == stamp else None


def _stamp() -> List[Any]:
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        boot = file.read().strip()
    return [VERSION, boot, platform.release(), [one.depends_on() for one in drivers.DRIVERS]]
