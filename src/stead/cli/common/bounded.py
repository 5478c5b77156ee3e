"""Bounds of time and memory for files of people who are not trusted.

What nobody has read is planned in a process of its own, with nothing to steal. What is merged is planned in this
process, with bounds for as long as the plan is made: not while hosts are asked, and not for what is applied after it.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import current_thread, main_thread
from time import process_time

from stead.core.diagnostics import Code, Diagnostic, Refused

BOUNDS = Code("STEAD-C015", "planning exceeded its limits")
WITHIN = "STEAD_WITHIN_BOUNDS"  # set for the process that has the bounds
SECONDS = 120  # of a processor; far more than a plan of 100,000 instances takes
MEMORY = 4 << 30  # bytes of addresses
FILES = 256 << 20  # bytes that one file may have
# By its limits; or by Python, which cannot go on from every place where memory ends, and tells of its own objects then.
_STOPPED = (-signal.SIGXCPU, -signal.SIGKILL, -signal.SIGXFSZ, -signal.SIGABRT, -signal.SIGSEGV)
MERGED = 5  # times as much time, and twice the memory, for a plan that has the whole site and somebody's attention


def is_within() -> bool:
    return WITHIN in os.environ


def run(words: Sequence[str]) -> int:
    """The command again, without this one's environment. `-P`: no module comes from the directory it runs in."""
    from stead.runner.ansible_process import bare

    sys.stdout.flush()
    command = [sys.executable, "-P", "-m", "stead", *words]
    environment = {**bare(), WITHIN: "1", "OPENBLAS_NUM_THREADS": "1"}  # each thread would take addresses of its own
    environment.pop("SSH_AUTH_SOCK", None)
    if sys.stdout.isatty() and sys.stderr.isatty():
        environment["FORCE_COLOR"] = "1"
    with tempfile.TemporaryFile() as said:
        try:
            done = subprocess.run(
                command, env=environment, check=False, preexec_fn=_bound, timeout=SECONDS * 5, stderr=said
            )
        except subprocess.TimeoutExpired:
            raise Refused(_too_much()) from None
        if done.returncode in _STOPPED:
            raise Refused(_too_much())
        said.seek(0)
        sys.stderr.write(said.read().decode(errors="replace"))
    return done.returncode if done.returncode >= 0 else 1


@contextmanager
def while_planned(project_files: bool) -> Iterator[None]:
    """Where the site trusts everybody who writes its files, a plan takes what it takes."""
    if not project_files or is_within() or current_thread() is not main_thread():
        yield
        return
    before = {what: resource.getrlimit(what) for what in (resource.RLIMIT_CPU, resource.RLIMIT_AS)}
    handler = signal.signal(signal.SIGXCPU, _stop)
    _set(resource.RLIMIT_CPU, int(process_time()) + 1 + SECONDS * MERGED, soft=True)
    _set(resource.RLIMIT_AS, MEMORY * 2, soft=True)
    try:
        yield
    finally:
        for what, limits in before.items():
            resource.setrlimit(what, limits)
        signal.signal(signal.SIGXCPU, handler)


def _stop(_signal: int, _frame: object) -> None:
    raise Refused(_too_much(SECONDS * MERGED, MEMORY * 2))


def _too_much(seconds: int = 0, memory: int = 0) -> Diagnostic:
    took = f"{seconds or SECONDS} s of processor time and {(memory or MEMORY) >> 30} GiB of memory"
    return BOUNDS.at(None, f"The limits for specs with project files are {took}. Make the spec smaller.")


def _bound() -> None:
    for what, most in (
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_FSIZE, FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        _set(what, most)


def _set(what: int, most: int, *, soft: bool = False) -> None:
    """A soft one can be taken back."""
    _, hard = resource.getrlimit(what)
    least = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (least, hard if soft else least))
