"""A value is made the same way, seldom or often, and refuses what does not fit."""

from collections.abc import Callable
from typing import Any

import pytest

from stead.core.named import OFTEN
from stead.core.value import field, positional, value

MANY = OFTEN + 2


@value
class Named:
    name: str
    key: int = 7
    more: list[int] = field(default_factory=list)


@positional
class Given:
    name: str
    key: int = 7


@pytest.mark.parametrize("told", [{"name": "a"}, {"key": 7, "name": "a"}])
def test_a_value_is_the_same_however_often_it_is_made(told: dict[str, Any]) -> None:
    made = [Named(**told) for _ in range(MANY)]
    assert all((one.name, one.key, one.more) == ("a", 7, []) for one in made)
    assert len({id(one.more) for one in made}) == MANY


@pytest.mark.parametrize("way", [lambda: Given("a"), lambda: Given("a", key=7), lambda: Given(key=7, name="a")])
def test_a_positional_value_is_the_same_however_it_is_made(way: Callable[[], Given]) -> None:
    assert {way() for _ in range(MANY)} == {Given("a", 7)}


@pytest.mark.parametrize(
    ("made", "given", "named", "words"),
    [
        (Named, (), {}, "missing 1 required keyword-only argument: 'name'"),
        (Named, ("a",), {}, "takes 1 positional argument but 2 were given"),
        (Named, (), {"name": "a", "other": 1}, "unexpected keyword argument 'other'"),
        (Given, (), {}, "missing 1 required positional argument: 'name'"),
        (Given, ("a", 7, 8), {}, "takes from 2 to 3 positional arguments but 4 were given"),
        (Given, ("a",), {"name": "b"}, "multiple values for argument 'name'"),
    ],
)
def test_what_does_not_fit_is_refused_as_python_does(made: Any, given: Any, named: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        made(*given, **named)
