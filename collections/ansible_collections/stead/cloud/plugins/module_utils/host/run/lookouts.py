"""Namespaces from which this host looks at its own guests: one in each network that a guest is looked at in.

Which place that is, and how it is made, is the network driver's to say.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import socket
import threading
from typing import Any, Dict, Iterator, Mapping, Tuple

from ..base import commands
from ..base.work import Work
from ..net import drivers
from ..net.driver import HostNetworkDriver, Lookout, LookoutPlaces

NETWORK = 0x40000000  # CLONE_NEWNET
FOLDER = "/run/netns"


class Lookouts:
    """Those of one call, made when they are needed, and gone with it."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._lock = threading.Lock()
        # UUID of a network -> its driver's lookouts, and address -> namespace
        self._made: Dict[str, Tuple[LookoutPlaces, Dict[str, str]]] = {}

    def at(self, uuid: str, source: Mapping[str, str], mtu: int) -> str:
        """The namespace in this network. `source` has the address with its length, and the MAC."""
        with self._lock:
            if uuid not in self._made:
                self._made[uuid] = _lookouts(drivers.of_network(uuid)), {}
            lookouts, namespaces = self._made[uuid]
            address = source["address"]
            if address not in namespaces:
                place = Lookout(source["mac"], mtu, [*namespaces, address])
                # Of this work nobody hears: nothing of it stays.
                namespaces[address] = lookouts.ensure(uuid, place, Work(self._host))
            return namespaces[address]

    def close(self) -> None:
        with self._lock:
            for uuid, (lookouts, _namespaces) in self._made.items():
                lookouts.remove(uuid, Work(self._host))
            self._made = {}


def _lookouts(driver: HostNetworkDriver) -> LookoutPlaces:
    if driver.lookouts is None:
        raise drivers.unable(driver.name, "place to look at guests from")
    return driver.lookouts


def opened(namespace: str, version: int, kind: socket.SocketKind) -> socket.socket:
    """A socket stays where it was made; the thread that makes it comes back."""
    family = socket.AF_INET6 if version == 6 else socket.AF_INET
    with _inside(namespace):
        return socket.socket(family, kind)


@contextlib.contextmanager
def _inside(namespace: str) -> Iterator[None]:
    # os.setns is of Python 3.12.
    enter = ctypes.CDLL(None, use_errno=True).setns
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        there = os.open(os.path.join(FOLDER, namespace), os.O_RDONLY)
        try:
            _enter(enter, there)
        finally:
            os.close(there)
        try:
            yield
        finally:
            _enter(enter, home)
    finally:
        os.close(home)


def _enter(call: Any, handle: int) -> None:
    if call(handle, NETWORK) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def neighbour(namespace: str, address: str) -> Tuple[str, str]:
    """MAC and state of who answered for an address; empty when nobody did."""
    words = ["ip", "-netns", namespace, "-json", "neighbour", "show", address]
    found = json.loads(commands.run(words) or "[]")
    one = found[0] if found else {}
    return one.get("lladdr", "").lower(), "".join(one.get("state", ()))
