"""Ctrl-C in a run: the first asks it to stop, the second stops it. Knows nothing of what the run does."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupts:
    """The first Ctrl-C asks to stop, the second stops; but never in the middle of writing to the journal."""

    def __init__(self, on_first: Callable[[], None]) -> None:
        self.count = 0
        self._guarded = False
        self._on_first = on_first

    def stopping(self) -> bool:
        return self.count > 0

    def take(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1
        if self.count == 1:
            self._on_first()
        elif not self._guarded:
            raise KeyboardInterrupt

    @contextmanager
    def held_off(self) -> Iterator[None]:
        before, self._guarded = self.count, True
        try:
            yield
        finally:
            self._guarded = False
        if self.count > max(before, 1):
            raise KeyboardInterrupt


@contextmanager
def interrupts_of(on_first: Callable[[], None]) -> Iterator[Interrupts]:
    found = Interrupts(on_first)
    if threading.current_thread() is not threading.main_thread():  # only the main thread hears signals
        yield found
        return
    before = {one: signal.signal(one, found.take) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield found
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
