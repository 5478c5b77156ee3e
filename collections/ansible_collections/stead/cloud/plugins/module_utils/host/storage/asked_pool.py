"""A pool as a task of a playbook names it, where no plan has described it: the same words as in the inventory."""

from __future__ import annotations

import os

from ..base import ledger
from ..base.errors import Failed
from ..observe import capacity
from ..run import standalone
from . import pools

OPTIONS = {
    "pool": {"type": "str", "default": "default"},
    "type": {"type": "str", "choices": list(pools.FILES + pools.LOGICAL), "default": "dir"},
    "path": {"type": "path"},
    "server": {"type": "str"},
}


def pool(given):
    """As a want has it. `server` is where other hosts reach it; a pool without one is its own host's alone."""
    found = {"name": standalone.named(given["pool"]), "type": given["type"]}
    if given["path"] and given["type"] in pools.FILES and not os.path.isabs(given["path"]):
        raise Failed("The path of a pool begins with a slash: {0} does not.".format(given["path"]))
    if given["path"]:
        found["path"] = given["path"]
    if given["server"] and given["type"] in pools.SERVED:
        found.update({"host": given.get("host") or given["server"], "server": given["server"]})
    return found


def form(given):
    return given["format"] or ("qcow2" if given["type"] == "dir" else "raw")


def path_of(asked):
    """Of the directory, or the device's name."""
    return pools.folder(asked) if pools.kind(asked) in pools.FILES else asked.get("path", "")


def room(asked):
    """Bytes that it holds and that are free; nothing of either where it is not."""
    return capacity.room({"type": pools.kind(asked), "path": path_of(asked)})


def in_use(asked):
    """What of Stead's lies in it, by the ledger: addresses."""
    found = []
    for made in ledger.everything():
        lies = [made["want"].get("pool"), made["want"].get("root", {}).get("pool")]
        if any(one and pools.kind(one) == pools.kind(asked) and path_of(one) == path_of(asked) for one in lies):
            found.append(made["address"])
    return found
