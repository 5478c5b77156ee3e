"""After a boot: networks and what belongs to them, as this host's ledger says. Instances are libvirt's own to start.

Runs without Ansible and without the controller, from /usr/lib/stead. What fails is said and does not stop the rest.
"""

from __future__ import annotations

import json
import sys

from . import batch, ledger, places
from .failing import Failed
from .hypervisor import Libvirt
from .kinds import KINDS
from .work import Work

HOST = places.ROOT + "/host.json"
# What a boot forgets, in the order in which one needs the other. What lies on disks is still there.
ORDER = ("projects", "instances", "networks", "security_groups", "routers", "floating_ips", "volumes", "images")


def restore(kinds=ORDER):
    """(address or kind, what went wrong) for each entry of these kinds that could not be restored."""
    me = known_as()
    libvirt = Libvirt()
    failures = []
    try:
        with batch.alone():
            for kind in kinds:
                unread = []
                for made in ledger.everything(kind, unread=unread):
                    said = _one(kind, made, me, libvirt)
                    if said:
                        failures.append((made["address"], said))
                failures += [(kind, said) for said in unread]
    finally:
        libvirt.close()
    return failures


def known_as():
    """Name in the inventory and address on the underlay; nothing before the host was prepared."""
    return json.loads(places.read_bytes(HOST) or b"{}")


def _one(kind, made, me, libvirt):
    step = dict(made, number=0, action="create", have=None, after=[], underlay=me.get("underlay", ""))
    try:
        KINDS[kind].restore(step, Work(me.get("host", ""), libvirt=libvirt))
    except Failed as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - one entry's trouble is not the others'
        return "{0}: {1}".format(type(error).__name__, error)
    return ""


def main(names=()):
    """Of all kinds; or of those named, for a service that has forgotten them."""
    failures = restore([kind for kind in ORDER if not names or kind in names])
    for address, said in failures:
        sys.stderr.write("{0}: {1}\n".format(address, said))
    return 1 if failures else 0
