"""Waiting for guests: they boot without KVM, several at once on two cores."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from typing import Any

BOOTS_WITHIN = 300  # it takes 5 alone, and is never what a test measures


def patiently(ask: Callable[[], Any], within: float = BOOTS_WITHIN) -> Any:
    """Until it is true and does not fail: how long a guest takes to boot is not what is tested."""
    until = time.monotonic() + within
    while True:
        try:
            if found := ask():
                return found
        except (subprocess.CalledProcessError, ValueError, AssertionError, AttributeError):
            if time.monotonic() > until:
                raise
        assert time.monotonic() < until, f"it took more than {within} seconds"
        time.sleep(0.5)
