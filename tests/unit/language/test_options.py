"""A new field of a kind is an option of its module: with the text, type and default of the model."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypedDict

import pytest

from stead.core.address import Address
from stead.core.fields import Duration, Example, Ref, Size
from stead.core.task import TaskForm
from stead.core.value import field, value
from stead.kinds import tasks
from stead.language.module_files import arguments, fragment
from stead.language.options import Option, options


@value
class ToyLimits:
    burst: Annotated[int | None, Size(), "Burst"] = None


@value
class ToyModel:
    room: Annotated[int, Size(), "Room; see [drivers](abilities.md)", Example("4GiB")]
    grace: Annotated[int, Duration(), "How long it may take"] = 60
    mode: Annotated[Literal["rw", "ro"], "`ro` refuses to write"] = "rw"
    limits: Annotated[ToyLimits | None, "Limits"] = None
    tags: Annotated[Mapping[str, str], "Tags"] = field(default_factory=dict)
    hosted: Annotated[str, "Chosen by a plan"] = ""
    parent: Annotated[Address | None, Ref("toys"), "Another one"] = None
    keys: Annotated[tuple[str, ...], "Keys"] = ()


@value
class ToyWords:
    name: Annotated[str, "Name of the toy"]


class ToyWant(TypedDict, total=False):
    room: int
    grace: int
    mode: str
    limits: dict[str, int]
    tags: dict[str, str]
    parent: str
    keys: list[str]


TOY = TaskForm(own=(ToyWords,), models=(ToyModel,), want=ToyWant, defaults={"room": "1GiB"})


def found(name: str, task: TaskForm = TOY) -> Option:
    return next(one for one in options(task) if one.name == name)


def test_what_model_and_want_both_have_is_an_option() -> None:
    assert [one.name for one in options(TOY)] == ["name", "room", "grace", "mode", "limits", "tags", "keys"]


def test_texts_are_those_of_the_model_in_the_markup_of_ansible() -> None:
    assert found("room").text == ("Room; see drivers.", "For example V(4GiB).")
    assert found("grace").text == ("How long it may take, in seconds.",)
    assert found("mode").text == ("V(ro) refuses to write.",)


def test_a_task_may_say_it_in_its_own_words_and_leave_it_out() -> None:
    told = TaskForm(
        own=(ToyWords,), models=(ToyModel,), want=ToyWant, texts={"mode": "Mode."}, without={"keys": "none"}
    )
    assert found("mode", told).text == ("Mode.",)
    assert "keys" not in {one.name for one in options(told)}


def test_arguments_are_checked_by_ansible_and_passed_on_as_the_want_has_them() -> None:
    made: dict[str, Any] = {}
    exec(arguments("toy", options(TOY)), made)  # noqa: S102 - the text is a program
    assert made["OPTIONS"]["room"] == {"type": "str", "default": "1GiB"}
    assert made["OPTIONS"]["mode"] == {"type": "str", "choices": ["rw", "ro"], "default": "rw"}
    assert made["OPTIONS"]["keys"] == {"type": "list", "elements": "str", "default": [], "no_log": False}
    assert made["OPTIONS"]["limits"] == {"type": "dict", "options": {"burst": {"type": "str"}}}
    assert made["PASSED"].items() >= {"room": "size", "grace": "", "limits": {"burst": "size"}}.items()
    assert "name" not in made["PASSED"]


@pytest.mark.parametrize("module", tasks())
def test_each_option_is_documented_once(module: str) -> None:
    known = options(tasks()[module])
    assert len({one.name for one in known}) == len(known)
    assert all(text.endswith(".") and "`" not in text for one in known for text in one.text)
    assert fragment(module, known).count("\n  name:") <= 1


@pytest.mark.parametrize("module", tasks())
def test_what_is_said_of_a_field_is_said_of_one_that_there_is(module: str) -> None:
    """A default, a text or a reason for a field that went away goes too."""
    task = tasks()[module]
    known = {one.name for one in options(task)}
    assert {*task.defaults, *task.texts, *task.choices, *task.aliases, *task.parts} <= known
    models = {name for model in task.models for name in typing.get_type_hints(model)}
    assert set(task.without) <= models - known
