"""Starting and stopping a domain. A guest is asked to shut down, and switched off only when it had its time."""

from __future__ import annotations

import os
import time
from typing import Any, Callable, Optional

from ...base.errors import Code, Failed
from ...base.step import Want
from ...base.work import Work

NO_START = Code("STEAD-E303", "the guest does not start")
# Seconds between looks at a guest that shuts down.
LOOK = 0.2
# Of `booting`; a host that was prepared by an older Stead, or by none, has none.
BOOT = "/usr/lib/stead/boot"
# Some guests miss the button while they boot.
ASK_AGAIN = 10


def is_libvirts(want: Want) -> bool:
    """Whether libvirt starts it with the host. It would ask nobody, so where Stead's own unit is there, it does not."""
    return bool(want["autostart"]) and want["state"] == "running" and not os.path.exists(BOOT)


def autostart(domain: Any, want: Want, work: Work) -> None:
    wanted = is_libvirts(want)
    if bool(domain.autostart()) != wanted:
        work.act("set autostart {0}".format("on" if wanted else "off"), domain.setAutostart, int(wanted))


def start(domain: Any, work: Work) -> None:
    """One that somebody paused, or that sleeps, goes on."""
    import libvirt

    if not domain.isActive():
        _act("start", domain.create, domain, work)
        work.booted = True
        return
    state = domain.state()[0]
    if state == libvirt.VIR_DOMAIN_PAUSED:
        _act("resume", domain.resume, domain, work)
    elif state == libvirt.VIR_DOMAIN_PMSUSPENDED:
        _act("wake", domain.pMWakeup, domain, work)


def _act(word: str, call: Callable[[], object], domain: Any, work: Work) -> None:
    import libvirt

    try:
        work.act("{0} {1}".format(word, domain.name()), call)
    except libvirt.libvirtError as error:
        text = "The guest does not {0}: {1}. Correct the cause, and apply again."
        raise Failed(NO_START, text.format(word, error)) from error


def stop(domain: Any, patience: int, work: Work) -> None:
    if domain.isActive():
        work.act("stop {0}".format(domain.name()), _stop, domain, patience)


def _stop(domain: Any, patience: int) -> None:
    import libvirt

    if domain.state()[0] == libvirt.VIR_DOMAIN_PAUSED:  # it hears nobody
        patience = 0
    begun = time.monotonic()
    asked: Optional[float] = None
    while domain.isActive():
        now = time.monotonic()
        try:
            if now - begun >= patience:
                domain.destroy()
            elif asked is None or now - asked >= ASK_AGAIN:
                domain.shutdown()
                asked = now
        except libvirt.libvirtError:
            if domain.isActive() and now - begun >= patience:
                raise
        time.sleep(LOOK)
