"""Starting, stopping, pausing and suspending a domain.

A guest is asked to shut down, and switched off only when it had its time. The memory of a suspended one is libvirt's
managed save: a start goes on from there, and a stop discards it.
"""

from __future__ import annotations

import os
import shutil
import time
from typing import Any, Callable, Optional

from ...base.errors import Failed, FailureCode
from ...base.step import Want
from ...base.work import Work

NO_START = FailureCode("STEAD-E303", "the guest does not start")
NO_ROOM = FailureCode("STEAD-E309", "the host has no room for the memory of the guest")
# Where libvirt writes the memory of a suspended guest, and what is left there for all else that the host writes.
SAVED = "/var/lib/libvirt/qemu"
LEFT = 1 << 30
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
    """One that is paused, suspended or asleep goes on."""
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


def pause(domain: Any, work: Work) -> None:
    """Its memory stays where it is. One that is off is started to its first instruction, or to where it was."""
    import libvirt

    if not domain.isActive():
        _act("start", lambda: domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED), domain, work)
    elif domain.state()[0] not in (libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PMSUSPENDED):
        _act("pause", domain.suspend, domain, work)


def suspend(domain: Any, work: Work) -> None:
    """One that is off has no memory to keep. One that was paused runs when it is started."""
    import libvirt

    if not domain.isActive():
        return
    needs, free = domain.maxMemory() * 1024, shutil.disk_usage(SAVED).free
    if free < needs + LEFT:
        text = (
            "{0} needs {1} MiB in {2}, which has {3} MiB free, of which {4} MiB are kept. Make room, or stop the guest."
        )
        raise Failed(NO_ROOM, text.format(domain.name(), needs >> 20, SAVED, free >> 20, LEFT >> 20))
    if domain.state()[0] == libvirt.VIR_DOMAIN_PMSUSPENDED:
        start(domain, work)
    _act("suspend", lambda: domain.managedSave(libvirt.VIR_DOMAIN_SAVE_RUNNING), domain, work)


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
    elif domain.hasManagedSaveImage():
        work.act("discard the memory of {0}".format(domain.name()), domain.managedSaveRemove)


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
