"""What a flavor must be to make sense. Looks only at the spec."""

from __future__ import annotations

from collections.abc import Iterator

from stead.core.diagnostics import Diagnostic
from stead.kinds.shared.sizing_rules import sizing
from stead.language.desired import Block, Desired


def check(block: Block, _desired: Desired) -> Iterator[Diagnostic]:
    yield from sizing(block, block.model, "")
