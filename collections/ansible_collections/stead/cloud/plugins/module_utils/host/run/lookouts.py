"""Namespaces from which this host looks at its own guests: one in each network that a guest is looked at in.

A lookout stands on the bridge of the guest's own host, at an address that the network keeps for it. Each host that
looks has the same address and MAC there: what a guest answers never leaves its host.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import socket
import threading

from ..base import commands
from ..base.work import Work
from ..net import links, namespaces

INSIDE = "look0"
NETWORK = 0x40000000  # CLONE_NEWNET
FOLDER = "/run/netns"


class Lookouts:
    """Those of one call, made when they are needed, and gone with it."""

    def __init__(self, host, bridge_for):
        self._host, self._bridge_for = host, bridge_for
        self._lock = threading.Lock()
        self._made = {}  # UUID of a network -> addresses there

    def at(self, uuid, source, mtu):
        """The namespace in this network. `source` has the address with its length, and the MAC."""
        with self._lock:
            addresses = self._made.setdefault(uuid, [])
            if source["address"] not in addresses:
                addresses.append(source["address"])
                self._ensure(uuid, source, addresses, mtu)
            return namespace_of(uuid)

    def _ensure(self, uuid, source, addresses, mtu):
        work = Work(self._host)  # of which nobody hears: nothing of it stays
        name, outside, bridge = namespace_of(uuid), links.lookout_name(uuid), self._bridge_for(uuid, work)
        inside = namespaces.ensure(name, work)
        port = {"bridge": bridge, "mac": source["mac"], "mtu": mtu, "addresses": addresses}
        namespaces.cable(name, inside, outside, INSIDE, port, work)
        # Another host's lookout has the same MAC: where it is must not be learned from its packets.
        work.batch("bridge", ["fdb replace {0} dev {1} master static".format(source["mac"], outside)])

    def close(self):
        with self._lock:
            for uuid in self._made:
                remove(uuid, Work(self._host))
            self._made = {}


def namespace_of(uuid):
    return links.namespace_name("look", uuid)


def remove(uuid, work):
    """Also one that a killed run left."""
    namespaces.remove(namespace_of(uuid), [links.lookout_name(uuid)], work)


def opened(namespace, version, kind):
    """A socket stays where it was made; the thread that makes it comes back."""
    family = socket.AF_INET6 if version == 6 else socket.AF_INET
    with _inside(namespace):
        return socket.socket(family, kind)


@contextlib.contextmanager
def _inside(namespace):
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


def _enter(call, handle):
    if call(handle, NETWORK) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def neighbour(namespace, address):
    """MAC and state of who answered for an address; empty when nobody did."""
    words = ["ip", "-netns", namespace, "-json", "neighbour", "show", address]
    found = json.loads(commands.run(words) or "[]")
    one = found[0] if found else {}
    return one.get("lladdr", "").lower(), "".join(one.get("state", ()))
