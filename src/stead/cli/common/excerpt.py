"""The line of a user's file that a diagnostic speaks of, as a compiler shows it."""

from __future__ import annotations

import re
from pathlib import Path

from stead.core.diagnostics import Place
from stead.core.named import NamedTuple

WIDEST = 100  # columns of the line that are shown
SEALED = "$ANSIBLE_VAULT"  # the text that was read is not the text of the file
_WORD = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|(?:[^\s,:{}\[\]]|:(?=[^\s,{}\[\]]))+|\S""")


class Excerpt(NamedTuple):
    """A line, and the part of it that is meant. Columns count from 1; `end` is the column after the last."""

    text: str
    start: int
    end: int


class Excerpts:
    """Each file is read once for all diagnostics of a command."""

    def __init__(self) -> None:
        self._files: dict[str, list[str]] = {}

    def of(self, place: Place | None) -> Excerpt | None:
        """None where there is no such line: a place may be an option of the command line."""
        if place is None or not 0 < place.line <= len(lines := self._lines(place.file)):
            return None
        text = lines[place.line - 1]
        found = _WORD.match(text, place.column - 1)
        return Excerpt(text, place.column, found.end() + 1) if found else None

    def _lines(self, file: str) -> list[str]:
        if file not in self._files:
            try:
                with Path(file).open(encoding="utf-8-sig") as opened:
                    text = opened.read()
            except (OSError, ValueError):
                text = ""
            # Where YAML ends a line, and nowhere else: a form feed within a line ends none.
            self._files[file] = [] if text.startswith(SEALED) else text.split("\n")
        return self._files[file]


def drawn(excerpt: Excerpt, line: int) -> tuple[str, str]:
    """The line with its number, and carets below the part that is meant. What a terminal would obey is not printed."""
    first = max(0, min(excerpt.start - 1 - WIDEST // 2, len(excerpt.text) - WIDEST))
    text = "".join(one if one.isprintable() else " " for one in excerpt.text[first : first + WIDEST])
    start = excerpt.start - 1 - first
    end = min(excerpt.end - 1 - first, len(text))
    number = str(line)
    cut = "…" if first else " "
    return (
        f"{number} |{cut}{text.rstrip()}",
        f"{' ' * len(number)} | {' ' * _wide(text[:start])}{'^' * _wide(text[start:end])}",
    )


def _wide(text: str) -> int:
    """Columns of a terminal. `unicodedata` knows better, and is too much for a process that has no memory left."""
    return sum(2 if one >= "\u1100" and not "\u2000" <= one < "\u2e80" else 1 for one in text)
