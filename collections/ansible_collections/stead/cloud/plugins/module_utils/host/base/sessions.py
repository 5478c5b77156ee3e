"""Connections of one call to services of this host. Each is opened on first use and shared by all steps."""

from __future__ import annotations

import threading
from typing import Any, Callable, Dict, Protocol, TypeVar


class Session(Protocol):
    def close(self) -> None: ...


S = TypeVar("S", bound=Session)


class Sessions:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opened: Dict[Callable[[], Any], Any] = {}

    def of(self, kind: Callable[[], S]) -> S:
        """The session of this type."""
        with self._lock:
            if kind not in self._opened:
                self._opened[kind] = kind()
            found: S = self._opened[kind]
            return found

    def close(self) -> None:
        with self._lock:
            for one in self._opened.values():
                one.close()
            self._opened = {}
