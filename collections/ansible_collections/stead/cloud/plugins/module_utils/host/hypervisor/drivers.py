"""The hypervisors that there is code for on hosts, and who of them has what.

A static list, since Ansible packs only what it sees imported. A host may have several; a guest is looked for in all.
"""

from __future__ import annotations

from typing import Any, Iterator, List, Mapping, Optional, Tuple

from ..base.errors import Failed
from ..base.sessions import Sessions
from . import qemu
from .driver import Guest, HostDriver, Hypervisor

DRIVERS: Tuple[HostDriver, ...] = (qemu.DRIVER,)


def driver_of(hypervisor: str) -> HostDriver:
    found = next((one for one in DRIVERS if hypervisor in one.runs), None)
    if found is None:
        raise Failed("No code on this host for instances by {0}.".format(hypervisor))
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
