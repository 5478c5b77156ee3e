"""After a boot: what the kernel forgets of what this host's ledger has, and what is to run.

Runs without Ansible and without the controller, from /usr/lib/stead. What fails is said and does not stop the rest.
"""

from __future__ import annotations

import sys

from ..base import ledger, paths
from ..base.errors import Failed
from ..base.sessions import Sessions
from ..base.work import Work
from ..kinds.table import KINDS
from . import batch, booting

# What a boot forgets, in the order in which one needs the other. What lies on disks is still there.
ORDER = ("projects", "instances", "networks", "security_groups", "routers", "floating_ips", "volumes", "images")
# Kinds of which something is on one host at a time, in the order in which that begins.
SINGLE = ("networks", "routers", "floating_ips", "instances")


def restore(kinds=ORDER, start=False, only=None):
    """(address or kind, what went wrong) for each entry of these kinds that could not be restored.

    With `start`, what runs by itself is started. What is held back (`booting`) may be on another host by now. `only`
    names those that are tried again.
    """
    me = paths.known_as()
    sessions = Sessions()
    failures = []
    try:
        with batch.alone():
            for kind in kinds:
                unread = []
                for made in ledger.everything(kind, unread=unread):
                    if only is not None and made["address"] not in only:
                        continue
                    said = _one(kind, dict(made, held=booting.is_held(made), start=start), me, sessions)
                    if said:
                        failures.append((made["address"], said))
                failures += [(kind, said) for said in unread]
    finally:
        sessions.close()
    return failures


def _one(kind, made, me, sessions):
    step = dict(made, number=0, action="create", have=None, after=[], underlay=me.get("underlay", ""))
    try:
        KINDS[kind].restore(step, Work(me.get("host", ""), sessions=sessions))
    except Failed as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - one entry's trouble is not the others'
        return "{0}: {1}".format(type(error).__name__, error)
    return ""


def main(names=()):
    """Of all kinds; or of those named, for a service that has forgotten them."""
    booting.held_below()  # what was here at the boot, before anything is added
    failures = restore([kind for kind in ORDER if not names or kind in names])
    for address, said in failures:
        sys.stderr.write("{0}: {1}\n".format(address, said))
    return 1 if failures else 0
