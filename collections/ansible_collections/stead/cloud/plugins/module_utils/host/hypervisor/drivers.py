"""The hypervisor drivers on hosts, and which of them supports what.

Ansible packs what it sees imported: built-in drivers are listed here, and a site's own in its collection `stead.site`,
whose `module_utils/hypervisor.py` has a tuple `DRIVERS`. A host may have several; a guest is looked for in all.
"""

from __future__ import annotations

from typing import Any, Iterator, List, Mapping, Optional, Tuple

from ..base.errors import Failed, FailureCode
from ..base.sessions import Sessions
from . import lxc, qemu
from .driver import Guest, HostDriver, Hypervisor

try:
    from ansible_collections.stead.site.plugins.module_utils.hypervisor import DRIVERS as SITE  # type: ignore[import-not-found,import-untyped,unused-ignore]
except ImportError:
    SITE = ()

UNKNOWN = FailureCode("STEAD-E301", "this host has no code for the hypervisor")

BUILT_IN: Tuple[HostDriver, ...] = (qemu.DRIVER, lxc.DRIVER)
DRIVERS: Tuple[HostDriver, ...] = (*BUILT_IN, *SITE)


def driver_of(hypervisor: str) -> HostDriver:
    found = next((one for one in DRIVERS if hypervisor in one.runs), None)
    if found is None:
        text = "It needs the hypervisor {0}. Install its driver (collection stead.site), and run `stead bootstrap`."
        raise Failed(UNKNOWN, text.format(hypervisor))
    return found


def of(want: Mapping[str, Any], sessions: Sessions) -> Hypervisor:
    return driver_of(want["hypervisor"]).open(sessions)


def here(sessions: Sessions) -> Iterator[Hypervisor]:
    return (one.open(sessions) for one in DRIVERS if one.is_here())


def find(uuid: str, sessions: Sessions, hypervisor: str = "") -> Optional[Guest]:
    """Where the hypervisor that should have it does not answer, that is a failure: its guest may run all the same."""
    asked = [one for one in DRIVERS if one.is_here() or hypervisor in one.runs] or DRIVERS
    return next((guest for one in asked for guest in [one.open(sessions).find(uuid)] if guest is not None), None)


def guests(sessions: Sessions) -> List[Guest]:
    return [guest for one in here(sessions) for guest in one.guests()]


def users_of(uuid: str, path: str, sessions: Sessions) -> List[Tuple[Guest, str]]:
    """Guests on this host that have the volume, each with what it calls it."""
    named = ((guest, guest.device_of(uuid, path)) for guest in guests(sessions))
    return [(guest, device) for guest, device in named if device is not None]
