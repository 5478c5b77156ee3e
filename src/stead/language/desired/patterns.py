"""Whether a text is as a user's regular expression says, in bounded time: `(a+)+$` takes longer than anyone lives.

Python's engine has no budget to give it, but looks for signals as it goes. The time is the process's own, so that a
busy machine refuses nothing.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
from types import FrameType

LONGEST = 1.0  # seconds; a pattern that means something takes microseconds
STUCK = 30  # seconds, for a machine that has no time for a process
_APART = """
import json, re, signal, sys
pattern, text, longest = json.load(sys.stdin)
signal.setitimer(signal.ITIMER_VIRTUAL, longest)
print(int(re.fullmatch(pattern, text) is not None))
"""


class TooLong(Exception):  # noqa: N818 - names what is so
    pass


def fits(pattern: str, text: str) -> bool:
    """Raises TooLong."""
    if threading.current_thread() is not threading.main_thread():
        return _fits_apart(pattern, text)
    before = signal.signal(signal.SIGVTALRM, _stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, LONGEST)
    try:
        return re.fullmatch(pattern, text) is not None
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _fits_apart(pattern: str, text: str) -> bool:
    """No signal arrives in a thread, and the engine lets no other thread go on. A process can be ended."""
    words, given = [sys.executable, "-I", "-S", "-c", _APART], json.dumps([pattern, text, LONGEST])
    try:
        done = subprocess.run(words, input=given.encode(), capture_output=True, check=True, timeout=STUCK)
    except subprocess.SubprocessError:
        raise TooLong from None
    return done.stdout.strip() == b"1"


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise TooLong
