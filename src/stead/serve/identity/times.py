"""Moments as Identity v3 writes them."""

from __future__ import annotations

from datetime import UTC, datetime

from stead.serve.faults import bad


def instant(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def seconds(text: str | None) -> float | None:
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError as error:
        raise bad("expires_at is a time such as 2030-01-01T00:00:00.000000Z.") from error
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
