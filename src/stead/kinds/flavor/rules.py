"""What a flavor must be to make sense. Looks only at the spec."""

from __future__ import annotations

from collections.abc import Iterator

from stead.desired import Block, Desired
from stead.diagnostics import Diagnostic
from stead.kinds.sizing_rules import sizing


def check(block: Block, _desired: Desired) -> Iterator[Diagnostic]:
    yield from sizing(block, block.model, "")
