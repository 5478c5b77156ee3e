"""A namespace on the bridge of a guest's own host, at an address that the network keeps for it.

Each host that looks has the same address and MAC there: what a guest answers never leaves its host.
"""

from __future__ import annotations

from ...base.work import Work
from .. import namespaces
from ..driver import Lookout
from . import naming, networks

INSIDE = "look0"


def ensure(uuid: str, place: Lookout, work: Work) -> str:
    name: str = naming.namespace_name("look", uuid)
    outside = naming.lookout_name(uuid)
    inside = namespaces.ensure(name, work)
    port = {"bridge": networks.bridge_for(uuid, work), "mac": place.mac, "mtu": place.mtu, "addresses": place.addresses}
    namespaces.cable(name, inside, outside, INSIDE, port, work)
    # Another host's lookout has the same MAC: where it is must not be learned from its packets.
    work.batch("bridge", ["fdb replace {0} dev {1} master static".format(place.mac, outside)])
    return name


def remove(uuid: str, work: Work) -> None:
    namespaces.remove(naming.namespace_name("look", uuid), [naming.lookout_name(uuid)], work)
