"""The connection to libvirt: one for all steps of a call, opened when the first of them needs it."""

from __future__ import annotations

import threading

from ...base.errors import Failed

URI = "qemu:///system"


class Libvirt:
    def __init__(self, uri=URI):
        self._uri = uri
        self._lock = threading.Lock()
        self._connection = None

    def get(self):
        with self._lock:
            if self._connection is None or not self._connection.isAlive():
                self._connection = _open(self._uri)
            return self._connection

    def close(self):
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


def _open(uri):
    try:
        import libvirt
    except ImportError as error:
        raise Failed("python3-libvirt is not installed on this host. Run `stead bootstrap` on it.") from error
    # Errors are raised; libvirt would print them as well.
    libvirt.registerErrorHandler(_hush, None)
    try:
        return libvirt.open(uri)
    except libvirt.libvirtError as error:
        raise Failed(
            "libvirt does not answer on this host ({0}). Start libvirtd, and apply again.".format(error)
        ) from error


def _hush(_context, _error):
    pass


def find(connection, uuid):
    """The domain of this UUID, or None."""
    import libvirt

    try:
        return connection.lookupByUUIDString(uuid)
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
            return None
        raise


def find_name(connection, name):
    import libvirt

    try:
        return connection.lookupByName(name)
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
            return None
        raise
