"""What goes to the long tests: other ways to what the tests of every change try already."""

from __future__ import annotations

from typing import Any

import pytest


def variant(*values: object, name: str | None = None) -> Any:
    return pytest.param(*values, marks=pytest.mark.long, id=name)
