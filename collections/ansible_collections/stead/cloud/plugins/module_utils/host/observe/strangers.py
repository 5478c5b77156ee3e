"""What hypervisors of this host have that is not Stead's, for `stead import`. It reads, and changes nothing."""

from __future__ import annotations

from typing import Any, Dict

from ..base.sessions import Sessions
from ..hypervisor import drivers
from ..hypervisor.driver import TellsStrangers


def strangers() -> Dict[str, Any]:
    sessions = Sessions()
    found: Dict[str, Any] = {"domains": [], "networks": {}}
    try:
        for one in drivers.here(sessions):
            if isinstance(one, TellsStrangers):
                told = one.strangers()
                found["domains"] += told["domains"]
                found["networks"].update(told["networks"])
    finally:
        sessions.close()
    return found
