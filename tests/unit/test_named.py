"""`stead.NamedTuple` does what typing's does, made seldom or often."""

import pickle
import typing
from collections.abc import Callable
from typing import Any

import pytest

from stead.core.named import OFTEN, NamedTuple

MANY = OFTEN + 2


class Ours(NamedTuple):
    name: str
    key: int = 7
    more: tuple[int, ...] = ()

    @property
    def loud(self) -> str:
        return self.name.upper()


class Theirs(typing.NamedTuple):
    name: str
    key: int = 7
    more: tuple[int, ...] = ()


class Nothing(NamedTuple):
    pass


WAYS: list[Callable[[Any], Any]] = [
    lambda made: made("a"),
    lambda made: made("a", 2),
    lambda made: made("a", 2, (3,)),
    lambda made: made(name="a"),
    lambda made: made("a", more=(3,)),
    lambda made: made(more=(3,), key=1, name="a"),
]
MISTAKES: list[Callable[[Any], Any]] = [
    lambda made: made(),
    lambda made: made(key=1),
    lambda made: made("a", 2, (3,), 4),
    lambda made: made("a", name="b"),
    lambda made: made("a", other=1),
    lambda made: made(key=1, more=(), other=1),
]


@pytest.mark.parametrize("way", WAYS)
def test_each_way_to_make_one_makes_the_same_however_often(way: Callable[[Any], Any]) -> None:
    assert {(*way(Ours),) for _ in range(MANY)} == {(*way(Theirs),)}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_does_not_fit_is_refused_as_python_does(mistake: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError) as ours:
        mistake(Ours)
    with pytest.raises(TypeError) as theirs:
        mistake(Theirs)
    assert str(ours.value).partition("()")[2] == str(theirs.value).partition("()")[2]


def test_a_missing_field_is_no_stray_one() -> None:
    class Pair(NamedTuple):
        one: int
        two: int

    with pytest.raises(TypeError, match="three"):
        Pair(one=1, three=3)  # type: ignore[call-arg]


def test_it_is_a_tuple_with_names() -> None:
    one = Ours("a")
    name, key, more = one
    assert (name, key, more) == ("a", 7, ())
    assert tuple(one) == one
    assert (one.name, one.loud, one[1]) == ("a", "A", 7)
    assert hash(one) == hash(("a", 7, ()))
    assert repr(one) == repr(Theirs("a")).replace("Theirs", "Ours")
    assert one._asdict() == {"name": "a", "key": 7, "more": ()}
    assert one._replace(key=8) == Ours("a", 8)
    assert isinstance(one._replace(key=8), Ours)
    assert pickle.loads(pickle.dumps(one)) == one  # noqa: S301 - its own
    match one:
        case Ours(found, 7):
            assert found == "a"
    with pytest.raises(ValueError, match="other"):
        one._replace(other=1)  # type: ignore[call-arg]
    with pytest.raises(AttributeError):
        one.key = 8  # type: ignore[misc]


def test_one_without_fields_is_empty() -> None:
    assert [Nothing() for _ in range(MANY)] == [()] * MANY
