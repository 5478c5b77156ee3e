"""Floating IPs, each by the driver of its router."""

from __future__ import annotations

from ..base.kind import HostKind
from ..net.drivers import FLOATING_IPS


def ensure(step, work):
    FLOATING_IPS.ensure(step["want"], work, step.get("have"))


def remove(step, work):
    FLOATING_IPS.remove(step.get("have") or {"uuid": step["uuid"]}, work)


def restore(step, work):
    FLOATING_IPS.restore(step["want"], step["held"], work)


def seen(step, look):
    return FLOATING_IPS.seen(step, look)


KIND = HostKind(ensure=ensure, remove=remove, seen=seen, restore=restore, asks_first=True)
