"""Starting and stopping a domain. A guest is asked to shut down, and switched off only when it had its time."""

from __future__ import annotations

import os
import time

from ...base.errors import Failed

# Seconds between looks at a guest that shuts down.
LOOK = 0.2
# Of `booting`; a host that was prepared by an older Stead, or by none, has none.
BOOT = "/usr/lib/stead/boot"
# Some guests miss the button while they boot.
ASK_AGAIN = 10


def is_libvirts(want):
    """Whether libvirt starts it with the host. It would ask nobody, so where Stead's own unit is there, it does not."""
    return want["autostart"] and want["state"] == "running" and not os.path.exists(BOOT)


def start(domain, work):
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


def _act(word, call, domain, work):
    import libvirt

    try:
        work.act("{0} {1}".format(word, domain.name()), call)
    except libvirt.libvirtError as error:
        raise Failed("The guest does not {0}: {1}".format(word, error)) from error


def stop(domain, patience, work):
    if domain.isActive():
        work.act("stop {0}".format(domain.name()), _stop, domain, patience)


def _stop(domain, patience):
    import libvirt

    begun = time.monotonic()
    asked = None
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
