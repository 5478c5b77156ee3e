"""Who is on which host while a placement is made better, and the way back from a move that led nowhere.

Decides nothing. It keeps what is free, and who is where, in step with each other.
"""

from __future__ import annotations

from collections.abc import Callable

from stead.blueprint.placement.search.greedy import Search
from stead.blueprint.placement.search.runs import Run


class Arrangement:
    def __init__(self, search: Search, takes: Callable[[Run], bool] = lambda _run: True) -> None:
        """Of the units of those runs that it `takes`."""
        self.on_host: dict[int, list[tuple[Run, int]]] = {}
        self._search = search
        self._moves: list[tuple[Run, int, int]] = []  # run, unit, host it had: enough to go back
        for run in search.runs:
            if takes(run):
                for i, h in enumerate(run.chosen):
                    if h >= 0:
                        self.on_host.setdefault(h, []).append((run, i))

    @property
    def mark(self) -> int:
        return len(self._moves)

    def keep(self) -> None:
        """What was moved so far stays."""
        self._moves.clear()

    def move(self, run: Run, i: int, h: int) -> None:
        """To host `h`, or to none when it is negative."""
        self._moves.append((run, i, run.chosen[i]))
        self._set(run, i, h)

    def back(self, mark: int = 0) -> None:
        while len(self._moves) > mark:
            self._set(*self._moves.pop())

    def _set(self, run: Run, i: int, h: int) -> None:
        old = run.chosen[i]
        if old >= 0:
            self._search.take(run, old, -1)
            self.on_host[old].remove((run, i))
        if h >= 0:
            self._search.take(run, h)
            self.on_host.setdefault(h, []).append((run, i))
        run.chosen[i] = h


def size(run: Run) -> int:
    """Of one unit: all that it asks for, added up."""
    return sum(amount for _, amount in run.shape.demand)
