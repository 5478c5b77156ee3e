"""Values as single words of a program's configuration: with nothing in them that means more there."""

from __future__ import annotations

import re
from typing import Callable

from ..base.errors import Failed

MEANS_MORE = "It has characters with a special meaning in that file. Choose another value."


def word_of(characters: str, refusal: Failed) -> Callable[[object], str]:
    """What writes a value of these characters (a class of a regular expression), and refuses every other."""
    pattern = re.compile(characters + r"+\Z")

    def word(value: object) -> str:
        text = str(value)
        if not pattern.match(text):
            raise refusal.told_of(repr(text))
        return text

    return word
