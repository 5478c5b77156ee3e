"""Runs programs. Arguments are always a list, so no value passes through a shell."""

from __future__ import annotations

import shlex
import subprocess
from typing import Optional, Sequence, Tuple

from .errors import Failed, FailureCode

PROGRAM_FAILED = FailureCode("STEAD-E001", "a program on the host failed")
NOT_INSTALLED = FailureCode("STEAD-E002", "a program is not installed on the host")
TOO_SLOW = FailureCode("STEAD-E003", "a program on the host did not end in time")

# Characters of a failed program's output: enough for the error of qemu-img, short enough to read.
TAIL = 1500
# No program of a step takes longer, except copies and conversions of images, which set their own limit.
PATIENCE = 120


def run(argv: Sequence[object], feed: Optional[str] = None, timeout: float = PATIENCE) -> str:
    """The output of the program. Fails if its status is not 0."""
    status, out, err = attempt(argv, feed=feed, timeout=timeout)
    if status != 0:
        said = (err.strip() or out.strip())[-TAIL:]
        raise Failed(PROGRAM_FAILED, "`{0}` ended with status {1}: {2}".format(shown(argv), status, said))
    return out


def attempt(argv: Sequence[object], feed: Optional[str] = None, timeout: float = PATIENCE) -> Tuple[int, str, str]:
    """Status, output and errors, for callers that handle a failure."""
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(
            words,
            input=feed,
            stdin=None if feed is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError as error:
        raise Failed(
            NOT_INSTALLED, "{0} is not installed on this host. Run `stead bootstrap` on it.".format(words[0])
        ) from error
    except subprocess.TimeoutExpired as error:
        raise Failed(
            TOO_SLOW,
            "`{0}` did not end within {1} seconds. Run it by hand to see what it waits for, and apply again.".format(
                shown(argv), timeout
            ),
        ) from error
    return done.returncode, done.stdout, done.stderr


def shown(argv: Sequence[object]) -> str:
    return " ".join(shlex.quote(str(word)) for word in argv)
