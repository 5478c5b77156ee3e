"""Texts in the reader's language. English is written where it is used, and `texts/LANGUAGE.yml` has another one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import yaml

ENGLISH = "en"
FOLDER = Path(__file__).parent / "texts"
Say = Callable[..., str]


@cache
def languages() -> Mapping[str, Mapping[str, str]]:
    found = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.yml"))}
    return {ENGLISH: {}, **found}


def language_of(chosen: str, accepted: str) -> str:
    """What was chosen, or the first of the browser's languages that there is."""
    asked = [chosen, *(one.partition(";")[0].strip().partition("-")[0].lower() for one in accepted.split(","))]
    return next((one for one in asked if one in languages()), ENGLISH)


def say_in(language: str) -> Say:
    known = languages()[language]

    def say(text: str, **values: object) -> str:
        said = known.get(text, text)
        return said.format(**values) if values else said

    return say
