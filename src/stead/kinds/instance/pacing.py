"""How an instance moves while it runs: how fast, how long, and what it may be asked to bear. Its want has only what is
said, so that an instance without a policy is as it always was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from stead.core.diagnostics import Code, Diagnostic
from stead.core.fields import Duration, Example, Granted, Milliseconds, Size
from stead.core.value import fields_of, value
from stead.language.desired import Block

if TYPE_CHECKING:
    from stead.kinds.instance.model import Instance

NO_TIME = Code("STEAD-I051", "a migration has no time")
MIB = 1 << 20


@value
class MigrationPolicy:
    """How it moves to another host while it runs. It changes nothing of an instance that does not move."""

    downtime: Annotated[
        int | None,
        Milliseconds(),
        Granted("migration"),
        "How long it may stand still at the end of a move; left out, 300ms",
        Example("300ms"),
    ] = None
    bandwidth: Annotated[
        int | None,
        Size(least=1 << 20),
        Granted("migration"),
        "Bytes a second that a move sends, at most, written as a size; left out, no limit",
        Example("100MiB"),
    ] = None
    auto_converge: Annotated[bool, "Slow down its processors, where its memory changes faster than it can be sent"] = (
        False
    )
    timeout: Annotated[
        int | None,
        Duration(),
        Granted("migration"),
        "How long a move may take until it is cancelled and the instance stays; left out, no limit",
        Example("10m"),
    ] = None


def check(block: Block) -> Iterator[Diagnostic]:
    model: Instance = block.model
    if model.migration is not None and model.migration.timeout == 0:
        text = "With a timeout of zero, no move ever ends. Write 10m, or leave `timeout` out."
        yield NO_TIME.at(block.place("migration.timeout"), text)


def policy(model: Instance) -> dict[str, Any]:
    told = {name: getattr(model.migration, name) for name in fields_of(MigrationPolicy)} if model.migration else {}
    return {name: one for name, one in told.items() if one}


def pace(want: Mapping[str, Any]) -> str:
    """How it moves by its policy, in words; empty where it has none."""
    told, parts = want.get("migration") or {}, []
    if bandwidth := told.get("bandwidth"):
        parts.append(f"sends at most {bandwidth / MIB:,.0f} MiB/s")
    if downtime := told.get("downtime"):
        parts.append(f"stands still for at most {downtime:,} ms")
    if told.get("auto_converge"):
        parts.append("its processors are slowed down if need be")
    if timeout := told.get("timeout"):
        parts.append(f"cancelled after {timeout:,} s")
    return ", ".join(parts)
