"""A user's regular expression on a text, in bounded time: `(a+)+$` takes longer than anyone lives.

Python's engine has no budget to give it, but looks for signals as it goes. The time is the process's own, so that a
busy machine refuses nothing. This file is also a program: what has to be done in a thread, a process of its own does.
"""

from __future__ import annotations

import json
import re
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import FrameType
from typing import Any

LONGEST = 1.0  # seconds; a pattern that means something takes microseconds
STUCK = 30  # seconds, for a machine that has no time for a process
_REMEMBERED = 4096  # characters of one question; a plan of the API asks the same again


class TooLong(Exception):  # noqa: N818 - names what is so
    pass


def fits(pattern: str, text: str) -> bool:
    """Raises TooLong."""
    return bool(asked("fullmatch", pattern, text)[0])


def asked(work: str, pattern: str, text: str, replacement: str = "", flags: int = 0) -> tuple[Any, float]:
    """The answer, and the seconds that it took. Raises TooLong, and ValueError where the pattern is none."""
    question = (work, pattern, text, replacement, flags)
    if threading.current_thread() is threading.main_thread():
        answer, left = _here(*question)
    elif len(pattern) + len(text) + len(replacement) <= _REMEMBERED:
        answer, left = _remembered(question)
    else:
        answer, left = _apart(question)
    if isinstance(answer, str) and answer == "too long":
        raise TooLong
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
    except (re.error, OverflowError, RecursionError, IndexError) as error:
        found = {"wrong": str(error)}
    finally:
        left, _ = signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    return found, left


def _apart(question: tuple[Any, ...]) -> tuple[Any, float]:
    """No signal arrives in a thread, and the engine lets no other thread go on. A process can be ended."""
    import subprocess

    words = [sys.executable, "-I", "-S", __file__]
    try:
        done = subprocess.run(
            words, input=json.dumps(question).encode(), capture_output=True, check=True, timeout=STUCK
        )
    except subprocess.SubprocessError:
        raise TooLong from None
    answer: tuple[Any, float] = json.loads(done.stdout)
    return answer


_remembered = lru_cache(maxsize=1024)(_apart)


def _first(pattern: re.Pattern[str], text: str, _replacement: str) -> dict[str, Any] | None:
    match = pattern.search(text)
    return match and {"whole": match[0], "numbered": match.groups(), "named": match.groupdict()}


_WORK: Mapping[str, Callable[[re.Pattern[str], str, str], Any]] = {
    "fullmatch": lambda pattern, text, _: pattern.fullmatch(text) is not None,
    "match": lambda pattern, text, _: pattern.match(text) is not None,
    "search": _first,
    "all": lambda pattern, text, _: pattern.findall(text),
    "replace": lambda pattern, text, replacement: pattern.sub(replacement, text),
}


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise TooLong


if __name__ == "__main__":
    print(json.dumps(_here(*json.load(sys.stdin))))
