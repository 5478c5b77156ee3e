"""The connection to libvirt: one for all steps of a call, opened when the first of them needs it.

Two drivers need it: libvirt keeps guests, and it keeps the filters of their interfaces.
"""

from __future__ import annotations

import os
import threading
import time
from typing import Any, Optional

from .errors import Failed, FailureCode
from .sessions import Sessions

NO_LIBVIRT = FailureCode("STEAD-E020", "libvirt for Python is not installed")
LIBVIRT_DOWN = FailureCode("STEAD-E021", "libvirt does not answer")

URI = "qemu:///system"
SOCKET = "/run/libvirt/libvirt-sock"
PROCESSES = ("/run/libvirtd.pid", "/run/virtqemud.pid")  # written when it starts
YOUNG = 120  # seconds after its start in which it may still be looking for its guests
FINDS_WITHIN = 40  # seconds; a guest that has not answered it by then is not found, and ended
LOOK = 0.2


def is_here() -> bool:
    """False, for example, on a storage host, which has no libvirt and so no guests and no filters."""
    return os.path.exists(SOCKET)


def connection(sessions: Sessions) -> Any:
    return sessions.of(Libvirt).get()


class Libvirt:
    def __init__(self, uri: str = URI) -> None:
        self._uri = uri
        self._lock = threading.Lock()
        self._connection: Any = None

    def get(self) -> Any:
        with self._lock:
            if self._connection is None or not self._connection.isAlive():
                self._connection = _open(self._uri)
                _let_find_guests(self._connection)
            return self._connection

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


def _open(uri: str) -> Any:
    try:
        import libvirt
    except ImportError as error:
        raise Failed(
            NO_LIBVIRT, "python3-libvirt is not installed on this host. Run `stead bootstrap` on it."
        ) from error
    # Errors are raised; otherwise libvirt would also print them.
    libvirt.registerErrorHandler(_hush, None)
    try:
        return libvirt.open(uri)
    except libvirt.libvirtError as error:
        raise Failed(
            LIBVIRT_DOWN, "libvirt does not answer on this host ({0}). Start libvirtd, and apply again.".format(error)
        ) from error


def _let_find_guests(connection: Any) -> None:
    """When libvirt has just started, it says that a guest runs before it knows, and may then find it gone."""
    if not _is_young():
        return
    import libvirt

    until = time.monotonic() + FINDS_WITHIN
    for domain in connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE):
        while _is_looked_for(domain) and time.monotonic() < until:
            time.sleep(LOOK)


def _is_young() -> bool:
    for one in PROCESSES:
        try:
            if abs(time.time() - os.stat(one).st_mtime) < YOUNG:
                return True
        except FileNotFoundError:
            continue
    return False


def _is_looked_for(domain: Any) -> bool:
    import libvirt

    try:
        return bool(domain.controlInfo()[0] != libvirt.VIR_DOMAIN_CONTROL_OK)
    except libvirt.libvirtError:
        return False  # it is off by now


def _hush(_context: object, _error: object) -> None:
    pass


def find(connection: Any, uuid: str) -> Optional[Any]:
    """The domain of this UUID, or None."""
    return _found(connection.lookupByUUIDString, uuid)


def find_name(connection: Any, name: str) -> Optional[Any]:
    return _found(connection.lookupByName, name)


def _found(look_up: Any, word: str) -> Optional[Any]:
    import libvirt

    try:
        return look_up(word)
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
            return None
        raise
