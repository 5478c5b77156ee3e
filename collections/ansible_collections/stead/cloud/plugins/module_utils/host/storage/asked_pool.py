"""A pool as a task of a playbook names it, without a plan: in the words of the inventory."""

from __future__ import annotations

import os
from typing import Any, Dict, List, Mapping

from ..base import ledger
from ..base.errors import Failed, FailureCode
from ..run import standalone
from . import drivers
from .driver import Pool

RELATIVE = FailureCode("STEAD-E105", "the path of a pool begins with a slash")


def options(known: Mapping[str, Any]) -> Dict[str, Any]:
    """A module's arguments, with the types of pools of the drivers that a site has added."""
    return dict(known, type=dict(known["type"], choices=list(drivers.DRIVERS)))


def pool(given: Mapping[str, Any]) -> Dict[str, Any]:
    """As a want has it. `server` is where other hosts reach it; a pool without one is its own host's alone."""
    found = {"name": standalone.named(given["pool"]), "type": given["type"]}
    if given["path"]:
        found["path"] = given["path"]
        if os.path.isabs(place({"name": found["name"], "type": given["type"]})) and not os.path.isabs(given["path"]):
            raise Failed(RELATIVE, "{0} does not.".format(given["path"]))
    if given["server"] and drivers.driver(found).serving is not None:
        found.update({"host": given.get("host") or given["server"], "server": given["server"]})
    return found


def form(given: Mapping[str, Any]) -> str:
    return str(given["format"] or drivers.driver(given).formats[0])


def place(asked: Pool) -> str:
    """Of the directory, or the device's name."""
    return drivers.driver(asked).place(asked)


def in_use(asked: Pool) -> List[str]:
    """What of Stead's lies in it, by the ledger: addresses."""
    found = []
    for made in ledger.everything():
        lies = [made["want"].get("pool"), made["want"].get("root", {}).get("pool")]
        if any(one and drivers.name_of(one) == drivers.name_of(asked) and place(one) == place(asked) for one in lies):
            found.append(made["address"])
    return found
