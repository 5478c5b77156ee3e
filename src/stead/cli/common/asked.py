"""For commands that show what hosts find out about resources now: whom they ask, and how they show what is said."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from stead.cli.common import options as shared
from stead.core.diagnostics import Code, Refused

if TYPE_CHECKING:
    from stead.cli.common.workspace import Workspace
    from stead.core.kind import Kind
    from stead.core.recorded import Record

UNITS = ((1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K"))


def arguments(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("address", nargs="*", metavar="ADDRESS", help=f"only these {what} (default: all)")
    parser.add_argument("--project", metavar="NAME", help="only this project")
    shared.inputs(parser)
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def asked_for(
    workspace: Workspace, named: Sequence[str], project: str | None, concerns: Callable[[Kind], bool]
) -> dict[str, Record]:
    """By UUID: hosts are believed in what they find, and not in whose it is."""
    from stead.cli.common.selection import chosen, must_be_recorded
    from stead.cli.common.workspace import open_state
    from stead.kinds import kinds

    records = open_state(workspace).recorded().resources
    if project:
        must_be_recorded(project, records)
    return {
        records[one].leases.get("uuid", ""): records[one]
        for one in (chosen(records, named) if named else records)
        if concerns(kinds()[one.kind]) and records[one].host and project in (None, one.project)
    }


def tell_silent(silent: Mapping[str, str], asked: Collection[str], some: Code, nobody: Code) -> None:
    """Refuses where nobody has answered."""
    from stead.cli.common.console_output import complain

    told = [f"{host}: {why}" for host, why in sorted(silent.items())]
    if told and len(told) == len(asked):
        raise Refused(nobody.at(None, "; ".join(told)))
    complain(some.at(None, one) for one in told)


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]], words: int) -> list[str]:
    """Numbers, which follow the first columns, end below each other."""
    lines = [head, *rows]
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    return [
        "  ".join(
            f"{cell:<{width}}" if at < words else f"{cell:>{width}}"
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    ]


def size(number: float) -> str:
    for unit, letter in UNITS:
        if number >= unit:
            return f"{number / unit:.1f}{letter}"
    return f"{number:.0f}"
