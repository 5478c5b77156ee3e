"""Which network drivers there are on this host, and which of them a want is for.

Ansible packs what it sees imported: built-in drivers are listed here, and a site's own in its collection `stead.site`,
whose `module_utils/network.py` has a tuple `DRIVERS`. A want that names none is the first built-in one's: it was made
when there was no other.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from ..base import ledger
from ..base.errors import Failed
from ..base.step import Want
from ..base.work import Work
from .driver import UNABLE, UNKNOWN, HostNetworkDriver, Resource
from .linuxbridge.driver import DRIVER as LINUXBRIDGE
from .ovn.driver import DRIVER as OVN

try:
    from ansible_collections.stead.site.plugins.module_utils.network import DRIVERS as SITE  # type: ignore[import-not-found,import-untyped,unused-ignore]
except ImportError:
    SITE = ()

BUILT_IN: Tuple[HostNetworkDriver, ...] = (LINUXBRIDGE, OVN)
DRIVERS: Mapping[str, HostNetworkDriver] = MappingProxyType({one.name: one for one in (*SITE, *BUILT_IN)})
DEFAULT = BUILT_IN[0].name


def named(name: str) -> HostNetworkDriver:
    if name not in DRIVERS:
        text = "There is no code here for driver {0}. Install it as a part of stead.site, and run `stead bootstrap`."
        raise Failed(UNKNOWN, text.format(name))
    return DRIVERS[name]


def unable(name: str, what: str) -> Failed:
    return Failed(UNABLE, "Networks with driver {0} have no {1}. Use another driver for them.".format(name, what))


def of(want: Want) -> HostNetworkDriver:
    return named(want.get("driver", DEFAULT))


def of_network(uuid: str) -> HostNetworkDriver:
    """What this host's ledger says of it; the first, where that says nothing."""
    made = ledger.read("networks", uuid)
    return of(made["want"] if made is not None else {})


def inside(uuid: str) -> str:
    """The namespace from which instances in a network are reached."""
    driver = of_network(uuid)
    if driver.inside is None:
        raise unable(driver.name, "way in from their hosts")
    return driver.inside(uuid)


class ByDriver:
    """A kind whose resources are made by the driver of their network, or by the drivers of several."""

    def __init__(self, what: str, part: Callable[[HostNetworkDriver], Optional[Resource]]) -> None:
        self._what = what
        self._part = part

    def ensure(self, want: Want, work: Work, before: Optional[Want] = None) -> None:
        """What another driver made of it before goes first."""
        if before is not None:
            for name in _names(before):
                if name not in _names(want):
                    self._of(name).remove(before, work)
        for name in _names(want):
            self._of(name).ensure(want, work)

    def remove(self, have: Want, work: Work) -> None:
        for name in _names(have):
            self._of(name).remove(have, work)

    def restore(self, want: Want, held: bool, work: Work) -> None:
        for name in _names(want):
            self._of(name).restore(want, held, work)

    def seen(self, step: Mapping[str, Any], look: Any) -> Optional[Dict[str, Any]]:
        """What is otherwise, and nothing (None) where it is gone: what `ensure` would do."""
        want = step["want"]
        if not all(self._of(name).is_there(want, look.now) for name in _names(want)):
            return None
        found: Dict[str, Any] = look.differing(lambda _step, work: self.ensure(want, work), step)
        return found

    def _of(self, name: str) -> Resource:
        part = self._part(named(name))
        if part is None:
            raise unable(name, self._what)
        return part


def _names(want: Want) -> Sequence[str]:
    several: List[str] = want.get("drivers") or [want.get("driver", DEFAULT)]
    return several


def prepare(given: Mapping[str, Mapping[str, Any]], work: Work) -> None:
    """By driver, what its role gives it."""
    for name, settings in given.items():
        made = named(name).prepare
        if made is None:
            raise unable(name, "preparations of hosts")
        made(settings, work)


def expect(want: Want, have: Want, work: Work) -> None:
    found = of(want).expect
    if found is not None:
        found(want, have, work)


NETWORKS = ByDriver("networks", lambda driver: driver.networks)
SECURITY_GROUPS = ByDriver("security groups", lambda driver: driver.security_groups)
ROUTERS = ByDriver("routers", lambda driver: driver.routers)
FLOATING_IPS = ByDriver("floating IPs", lambda driver: driver.floating_ips)
LOAD_BALANCERS = ByDriver("load balancers", lambda driver: driver.load_balancers)
