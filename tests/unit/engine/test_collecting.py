"""The garbage collector is off while large things are made, and on again afterwards, whoever ends first."""

from __future__ import annotations

import gc
import threading
from contextlib import suppress

import pytest

from stead.core.collecting import no_collecting


def test_it_is_on_again_after_a_fault_and_after_the_last_of_several() -> None:
    assert gc.isenabled()
    with suppress(KeyError), no_collecting():
        with no_collecting():
            assert not gc.isenabled()
        assert not gc.isenabled()
        raise KeyError
    assert gc.isenabled()


def test_one_that_begins_while_another_ends_does_not_leave_it_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other ends between the question whether it is on, and turning it off."""
    first, asked, is_on = no_collecting(), threading.Event(), gc.isenabled

    def slowly() -> bool:
        found = is_on()
        asked.set()
        ended.wait(0.5)
        return found

    def second() -> None:
        with no_collecting():
            pass

    ended = threading.Event()
    first.__enter__()
    monkeypatch.setattr(gc, "isenabled", slowly)
    thread = threading.Thread(target=second)
    thread.start()
    asked.wait(0.5)
    first.__exit__(None, None, None)
    ended.set()
    thread.join()
    monkeypatch.undo()
    try:
        assert gc.isenabled()
    finally:
        gc.enable()


def test_who_has_turned_it_off_keeps_it_off() -> None:
    gc.disable()
    try:
        with no_collecting():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
