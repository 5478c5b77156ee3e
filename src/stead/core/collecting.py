"""Pauses the garbage collector while hundreds of thousands of objects are made, none of which is garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock


class _Pauses:
    """Of all threads. The last that ends turns the collector on again, if it was on before the first.

    If each remembered for itself, one that begins while another ends would leave it off for good.
    """

    def __init__(self) -> None:
        self._lock, self._running, self._was_on = Lock(), 0, False

    def begin(self) -> None:
        with self._lock:
            if not self._running:
                self._was_on = gc.isenabled()
                gc.disable()
            self._running += 1

    def end(self) -> None:
        with self._lock:
            self._running -= 1
            if not self._running and self._was_on:
                gc.enable()


_pauses = _Pauses()


@contextmanager
def no_collecting() -> Iterator[None]:
    """For large reads: the collector would scan all new objects repeatedly, which takes a third of the time."""
    _pauses.begin()
    try:
        yield
    finally:
        _pauses.end()
