"""Colours as a function that is handed in, so that no view asks the terminal."""

from __future__ import annotations

from typing import Protocol

BOLD, DIM, RED, GREEN, YELLOW, BLUE, CYAN = "1", "2", "31", "32", "33", "34", "36"


class Paint(Protocol):
    def __call__(self, text: str, /, *styles: str) -> str: ...


def plain(text: str, /, *_styles: str) -> str:
    return text


def ansi(text: str, /, *styles: str) -> str:
    return f"\033[{';'.join(styles)}m{text}\033[0m" if styles else text
