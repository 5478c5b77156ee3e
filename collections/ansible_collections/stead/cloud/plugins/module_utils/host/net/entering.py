"""Calls within another network namespace: by a thread that enters it, so that the rest of the process stays."""

from __future__ import annotations

import ctypes
import os
import threading
from typing import Any, Callable, List, TypeVar

from ..base.errors import Failed, FailureCode

NOT_ENTERED = FailureCode("STEAD-E208", "a call in a network namespace failed")
T = TypeVar("T")
NETWORK_NAMESPACE = 0x40000000  # CLONE_NEWNET


def within(namespace: str, call: Callable[..., T], *arguments: Any) -> T:
    """What the call gives back there; a failure when it fails."""
    found: List[T] = []
    failures: List[OSError] = []

    def inside() -> None:
        try:
            _enter(namespace)
            found.append(call(*arguments))
        except OSError as error:
            failures.append(error)

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    if failures:
        raise Failed(NOT_ENTERED, "In namespace {0}: {1}".format(namespace, failures[0]))
    return found[0]


def _enter(namespace: str) -> None:
    """Python has no call for it before 3.12."""
    libc = ctypes.CDLL(None, use_errno=True)
    handle = os.open("/run/netns/" + namespace, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.setns(handle, NETWORK_NAMESPACE) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    finally:
        os.close(handle)
