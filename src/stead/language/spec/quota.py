"""What a project may have at most: said of a project, or in the site's section of all that do not say it themselves.

The words are those of the kinds; here they become a record, which the reader, the schema and the reference take as any.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any

from stead.core.fields import Example, Size, Whole
from stead.core.kind import Kind, QuotaWord
from stead.core.value import value


def quota_words(kinds: Mapping[str, Kind]) -> dict[str, QuotaWord]:
    return {word: one for kind in kinds.values() for word, one in kind.quota.items()}


def quota_model(kinds: Mapping[str, Kind]) -> type[Any]:
    return _model(tuple(quota_words(kinds).items()))


@cache
def _model(words: tuple[tuple[str, QuotaWord], ...]) -> type[Any]:
    fields: dict[str, Any] = dict.fromkeys(word for word, _ in words)
    fields["__annotations__"] = {word: _hint(one) for word, one in words}
    fields["__doc__"] = "The most that a project may have. What is left out has no limit."
    return value(type("Quota", (), fields))


def _hint(word: QuotaWord) -> Any:
    form = Size(least=0) if word.size else Whole(least=0)
    notes = (form, word.help) if word.example is None else (form, word.help, Example(word.example))
    return Annotated[(int | None, *notes)]
