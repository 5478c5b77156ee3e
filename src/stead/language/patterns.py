"""A user's regular expression on a text, in bounded time and memory: `(a+)+$` takes longer than anyone lives.

Python's engine has no budget to give it, but looks for signals as it goes. The time is the process's own, so that a
busy machine refuses nothing. This file is also a program: what has to be done in a thread, a process of its own does.
"""

from __future__ import annotations

import json
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import FrameType
from typing import Any

LONGEST = 1.0  # seconds; a pattern that means something takes microseconds
STUCK = 30  # seconds, for a machine that has no time for a process
MOST = 1 << 22  # characters and groups of what is found: `(?=(.*))` finds the rest of the text at each place
_REMEMBERED, _MANY = 4096, 1024  # characters of one question and of its answer; a plan of the API asks the same again


class TooLong(Exception):  # noqa: N818 - names what is so
    pass


class FindsTooMuch(Exception):  # noqa: N818 - the same
    pass


def fits(pattern: str, text: str) -> bool:
    """Raises TooLong."""
    return bool(asked("fullmatch", pattern, text)[0])


def asked(work: str, pattern: str, text: str, replacement: str = "", flags: int = 0) -> tuple[Any, float]:
    """The answer, and the seconds that it took. Raises TooLong, FindsTooMuch, and ValueError if the pattern is none."""
    question = (work, pattern, text, replacement, flags)
    if threading.current_thread() is threading.main_thread():
        answer, left = _here(*question)
    else:
        answer, left = json.loads(_remembered(question))
    if isinstance(answer, str):
        raise TooLong if answer == "too long" else FindsTooMuch
    if "wrong" in answer:
        raise ValueError(answer["wrong"])
    return answer["found"], LONGEST - left


def _here(work: str, pattern: str, text: str, replacement: str, flags: int) -> tuple[Any, float]:
    before = signal.signal(signal.SIGVTALRM, _stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, LONGEST)
    try:
        found: Any = {"found": _WORK[work](re.compile(pattern, flags), text, replacement)}
    except TooLong:
        found = "too long"
    except FindsTooMuch:
        found = "too much"
    except (re.error, OverflowError, RecursionError, IndexError) as error:
        found = {"wrong": str(error)}
    finally:
        left, _ = signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    return found, left


def _apart(question: tuple[Any, ...]) -> bytes:
    """No signal arrives in a thread, and the engine lets no other thread go on. A process can be ended."""
    import subprocess

    words = [sys.executable, "-I", "-S", __file__]
    try:
        done = subprocess.run(
            words, input=json.dumps(question).encode(), capture_output=True, check=True, timeout=STUCK
        )
    except subprocess.SubprocessError:
        raise TooLong from None
    return done.stdout


_answers: dict[tuple[Any, ...], bytes] = {}


def _remembered(question: tuple[Any, ...]) -> bytes:
    known = _answers.get(question)
    if known is None:
        known = _apart(question)
        if len(known) + sum(len(part) for part in question if isinstance(part, str)) <= _REMEMBERED:
            if len(_answers) >= _MANY:
                _answers.clear()
            _answers[question] = known
    return known


def _bounded(matches: Iterable[re.Match[str]]) -> Iterator[re.Match[str]]:
    """Before what they hold is made of them: each group is a text of its own."""
    room = MOST
    for match in matches:
        room -= sum(1 + end - start for start, end in match.regs)
        if room < 0:
            raise FindsTooMuch
        yield match


def _first(pattern: re.Pattern[str], text: str, _replacement: str) -> dict[str, Any] | None:
    match = next(_bounded(pattern.finditer(text)), None)
    return match and {"whole": match[0], "numbered": match.groups(), "named": match.groupdict()}


def _all(pattern: re.Pattern[str], text: str, _replacement: str) -> list[Any]:
    """As `findall`, which knows no bound."""
    some = slice(1, None) if pattern.groups else slice(None)
    found = (
        [text[start:end] if start >= 0 else "" for start, end in one.regs[some]]
        for one in _bounded(pattern.finditer(text))
    )
    return [one[0] if pattern.groups < 2 else tuple(one) for one in found]


def _replaced(pattern: re.Pattern[str], text: str, replacement: str) -> str:
    pattern.sub(replacement, "")  # tells what is wrong with it, also where nothing matches
    room = MOST

    def expanded(match: re.Match[str]) -> str:
        nonlocal room
        made = match.expand(replacement)
        room -= 1 + len(made)
        if room < 0:
            raise FindsTooMuch
        return made

    return pattern.sub(expanded, text)


_WORK: Mapping[str, Callable[[re.Pattern[str], str, str], Any]] = {
    "fullmatch": lambda pattern, text, _: pattern.fullmatch(text) is not None,
    "match": lambda pattern, text, _: pattern.match(text) is not None,
    "search": _first,
    "all": _all,
    "replace": _replaced,
}


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise TooLong


if __name__ == "__main__":
    print(json.dumps(_here(*json.load(sys.stdin))))
