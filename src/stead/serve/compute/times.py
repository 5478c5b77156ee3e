"""Moments that Nova's clients filter by."""

from __future__ import annotations

from stead.serve.faults import bad
from stead.serve.routes import Call
from stead.serve.world import moment
from stead.usage.intervals import moment_of


def since(call: Call) -> str:
    """`changes-since`, as moments are told; empty where it is not asked for."""
    text = call.asked("changes-since")
    try:
        return moment(moment_of(text)) if text else ""
    except ValueError as error:
        raise bad("changes-since is no time: write it as 2026-11-30T12:00:00.") from error
