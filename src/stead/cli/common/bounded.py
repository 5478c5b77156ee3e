"""A command over files of people who are not trusted: a process of its own, bounds, and nothing to steal."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence

from stead.core.diagnostics import Code, Diagnostic, Refused

BOUNDS = Code("STEAD-C015", "planning took more than it may")
WITHIN = "STEAD_WITHIN_BOUNDS"  # set for the process that has the bounds
SECONDS = 120  # of a processor; far more than a plan of 100,000 instances takes
MEMORY = 4 << 30  # bytes of addresses
FILES = 256 << 20  # bytes that one file may have


def is_within() -> bool:
    return WITHIN in os.environ


def run(words: Sequence[str]) -> int:
    """The command again, without this one's environment. `-P`: no module comes from the directory it runs in."""
    from stead.runner.ansible_process import bare

    sys.stdout.flush()
    command = [sys.executable, "-P", "-m", "stead", *words]
    environment = {**bare(), WITHIN: "1", "OPENBLAS_NUM_THREADS": "1"}  # each thread would take addresses of its own
    environment.pop("SSH_AUTH_SOCK", None)
    try:
        done = subprocess.run(command, env=environment, check=False, preexec_fn=_bound, timeout=SECONDS * 5)
    except subprocess.TimeoutExpired:
        raise Refused(_too_much()) from None
    if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL, -signal.SIGXFSZ):
        raise Refused(_too_much())
    return done.returncode if done.returncode >= 0 else 1


def _too_much() -> Diagnostic:
    text = f"It may take {SECONDS} s of a processor and {MEMORY >> 30} GiB of memory. Make the spec smaller."
    return BOUNDS.at(None, text)


def _bound() -> None:
    for what, most in (
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_FSIZE, FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (least, least))
