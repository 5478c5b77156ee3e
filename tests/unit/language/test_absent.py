"""A name that a value does not have is told with what it has."""

from __future__ import annotations

import re
from typing import Any

import pytest

from stead.language.expressions import evaluate
from stead.language.expressions.bounds import BoundExceeded

SCOPE = {"web": [{"address": "10.0.0.1"}, {"address": "10.0.0.2"}], "db": {"address": "10.0.0.3"}, "empty": []}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "web.address",
            "This is a list, which has [0] to [1]: write [0].address, or map(attribute='address') for all.",
        ),
        ("web[7].address", "There is no [7]: the list has [0] to [1]."),
        ("empty[0]", "There is no [0]: the list is empty."),
        ("db.adress", "There is no 'adress'. Did you mean 'address'? Known are address."),
        ("db.nics", "There is no 'nics'. Known are address."),
    ],
)
def test_what_is_not_there_is_told_with_what_is(text: str, told: str) -> None:
    scope: dict[str, Any] = SCOPE
    with pytest.raises(BoundExceeded, match=re.escape(told)):
        evaluate(f"{{{{ {text} }}}}", scope)


def test_a_default_takes_what_is_not_there_however_deep() -> None:
    assert evaluate("{{ db.nics[0].address | default('none') }}", SCOPE) == "none"
    assert evaluate("{{ db.nics.first is defined }}", SCOPE) is False
    with pytest.raises(BoundExceeded, match=re.escape("There is no 'nics'.")):
        evaluate("{{ db.nics[0].address }}", SCOPE)


def test_what_all_have_is_taken_from_all() -> None:
    assert evaluate("{{ web | map(attribute='address') | list }}", SCOPE) == ["10.0.0.1", "10.0.0.2"]
