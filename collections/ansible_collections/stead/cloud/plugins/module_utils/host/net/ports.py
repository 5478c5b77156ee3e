"""Interfaces of one instance, each by the driver of its network."""

from __future__ import annotations

from typing import Collection, Dict

from ..base.step import Want
from ..base.work import Work
from . import drivers
from .driver import Nic, Plug, Port


def plugs(want: Want, work: Work) -> Dict[str, Plug]:
    """By what the want calls them."""
    return {key: drivers.of(nic).ports.plug(nic, want["ports"][key], work) for key, nic in want["nics"].items()}


def ensure(nic: Nic, port: Port, work: Work) -> None:
    """What filters it, before it is plugged."""
    drivers.of(nic).ports.ensure(nic, port, work)


def remove(want: Want, work: Work, but: Collection[str] = ()) -> None:
    """What filters all of them but those with these MACs."""
    nics = want.get("nics", {})
    for key, port in want.get("ports", {}).items():
        if port["mac"] not in but:
            drivers.of(nics.get(key, {})).ports.remove(port["mac"], work)


def restore(want: Want, work: Work) -> None:
    nics = want.get("nics", {})
    for key, port in want.get("ports", {}).items():
        drivers.of(nics.get(key, {})).ports.restore(port["mac"], work)
