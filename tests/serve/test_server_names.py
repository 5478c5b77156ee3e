"""Names of servers that are asked for by a pattern."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any, cast

import pytest

from stead.serve.compute.server_calls import LONGEST, _named
from stead.serve.faults import Fault


def named(names: list[str], text: str) -> list[str]:
    things = cast("Any", [SimpleNamespace(name=name) for name in names])
    return [thing.name for thing in _named(things, text)]


def test_a_pattern_finds_as_in_nova() -> None:
    assert named(["web-1", "web-2", "db"], "^web-.*$") == ["web-1", "web-2"]
    assert named(["a+b", "ab"], "a+b(") == []
    assert named(["a(b", "ab"], "a(b") == ["a(b"], "what is no pattern is looked for to the letter"


def test_many_long_names_do_not_hold_up_everybody() -> None:
    began = time.thread_time()
    with pytest.raises(Fault, match="takes too long"):
        named(["a" * 255] * 1000, "\\w+\\w+b")
    assert time.thread_time() - began < 3 * LONGEST
