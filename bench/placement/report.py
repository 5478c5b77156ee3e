"""One line per figure: value, aim, and whether it was met; at the end what was missed, and all of it as a table.

Times are judged by CPU seconds: on a machine that does nothing else the wall says the same, and both are printed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple, TypeVar

T = TypeVar("T")


class Line(NamedTuple):
    """`met` is None where there is nothing to meet."""

    area: str
    what: str
    value: str
    aim: str
    met: bool | None
    note: str

    @property
    def verdict(self) -> str:
        return {True: "pass", False: "MISS", None: ""}[self.met]

    def __str__(self) -> str:
        aim = f"aim {self.aim}" if self.aim else ""
        return f"  {self.what:<38} {self.value:<30} {aim:<22} {self.verdict:<4} {self.note}".rstrip()


class Report:
    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.area = ""

    def start(self, area: str) -> None:
        self.area = area
        print(area, flush=True)

    def line(self, what: str, value: str, aim: str = "", *, met: bool | None = None, note: str = "") -> None:
        self.lines.append(Line(self.area, what, value, aim, met, note))
        print(self.lines[-1], flush=True)

    def time(self, what: str, cpu: float, wall: float, most: float, note: str = "") -> None:
        value = f"{seconds(cpu)} CPU, {seconds(wall)} wall"
        self.line(what, value, f"at most {seconds(most)}", met=cpu <= most, note=note)

    def end(self) -> bool:
        """Whether nothing was missed."""
        judged = [line for line in self.lines if line.met is not None]
        missed = [line for line in judged if not line.met]
        print(f"\n{len(judged)} figures with an aim, {len(judged) - len(missed)} met, {len(missed)} missed")
        for line in missed:
            print(f"  MISS  {line.area}: {line.what}: {line.value}, aim {line.aim}")
        return not missed

    def table(self) -> str:
        """Markdown, a table for each area."""
        out: list[str] = []
        area = ""
        for line in self.lines:
            if line.area != area:
                area = line.area
                out += [
                    "",
                    f"## {area[:1].upper()}{area[1:]}",
                    "",
                    "| What | Value | Aim | | |",
                    "| --- | --- | --- | --- | --- |",
                ]
            cells = (line.what, line.value, line.aim, line.verdict, line.note)
            out.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        return "\n".join(out)


def seconds(value: float) -> str:
    if value < 0.001:
        return f"{value * 1e6:.0f} us"
    return f"{value * 1000:.3g} ms" if value < 1 else f"{value:.3g} s"


def timed(work: Callable[[], T]) -> tuple[T, float, float]:
    """What it gave, CPU seconds, wall seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return result, time.process_time() - cpu, time.perf_counter() - wall
