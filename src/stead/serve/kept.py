"""Answers that are asked for again and again while nothing changes: lists, which clients poll.

Who asks is in the key, so nobody gets an answer that was made for somebody else.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable

from stead.serve.routes import ApiReply
from stead.serve.world import CloudState

MOST = 16 << 20  # bytes of all answers


class KeptAnswers:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._world: CloudState | None = None
        self._answers: dict[Hashable, ApiReply] = {}
        self._size = 0

    def of(self, world: CloudState, key: Hashable) -> ApiReply | None:
        with self._lock:
            return self._answers.get(key) if self._world is world else None

    def keep(self, world: CloudState, key: Hashable, answer: ApiReply) -> None:
        size = len(answer.body or b"")
        with self._lock:
            if self._world is not world or self._size + size > MOST:
                self._world, self._answers, self._size = world, {}, 0
            if size <= MOST:
                self._answers[key] = answer
                self._size += size
