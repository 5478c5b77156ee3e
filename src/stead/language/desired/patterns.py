"""Whether a text is as a user's regular expression says, in bounded time: `(a+)+$` takes longer than anyone lives.

Python's engine has no budget to give it, but looks for signals as it goes. The time is the process's own, so that a
busy machine refuses nothing.
"""

from __future__ import annotations

import re
import signal
import threading
from types import FrameType

LONGEST = 1.0  # seconds; a pattern that means something takes microseconds


class TooLong(Exception):  # noqa: N818 - names what is so
    pass


def fits(pattern: str, text: str) -> bool:
    """Raises TooLong. In a thread of someone's own, where no signal arrives, it takes the time that it takes."""
    if threading.current_thread() is not threading.main_thread():
        return re.fullmatch(pattern, text) is not None
    before = signal.signal(signal.SIGVTALRM, _stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, LONGEST)
    try:
        return re.fullmatch(pattern, text) is not None
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise TooLong
