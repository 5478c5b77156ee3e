"""How the command line shows diagnostics: plain text on stderr, coloured when a person is looking."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any, TextIO

from stead.core.diagnostics import Diagnostic, Severity

RED, YELLOW, BOLD, DIM, GREEN, CYAN = "31", "33", "1", "2", "32", "36"


def colours(stream: TextIO) -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    return stream.isatty() or bool(os.environ.get("FORCE_COLOR"))


def paint(text: str, *styles: str, stream: TextIO | None = None) -> str:
    # Standard output as it is now, not as it was when this was imported: programs and tests put others in its place.
    return f"\033[{';'.join(styles)}m{text}\033[0m" if colours(stream or sys.stdout) else text


def complain(diagnostics: Iterable[Diagnostic], stream: TextIO | None = None) -> None:
    import textwrap  # only who is told something pays for it

    from stead.cli.common.excerpt import Excerpts, drawn

    out = sys.stderr if stream is None else stream
    excerpts = Excerpts()
    for one in diagnostics:
        colour = RED if one.severity is Severity.ERROR else YELLOW
        head = paint(f"{one.severity}[{one.code}]", colour, BOLD, stream=out)
        print(f"{head} {paint(one.summary, BOLD, stream=out)}", file=out)
        where = " ".join(part for part in (str(one.place or ""), one.address) if part)
        if where:
            print(f"  {paint('-->', CYAN, stream=out)} {where}", file=out)
        if one.place and (excerpt := excerpts.of(one.place)) is not None:
            line, carets = drawn(excerpt, one.place.line)
            print(f"  {line}\n  {paint(carets, colour, stream=out)}", file=out)
        for paragraph in one.detail.splitlines():
            print(
                textwrap.fill(
                    paragraph,
                    110,
                    initial_indent="  ",
                    subsequent_indent="  ",
                    break_on_hyphens=False,  # an option or an address stays whole, to be copied
                    break_long_words=False,
                ),
                file=out,
            )
        print(file=out)


def as_data(one: Diagnostic) -> dict[str, Any]:
    """For `--json`. The place has the line's text, and the column after the last that is meant."""
    from stead.cli.common.excerpt import Excerpts

    place, excerpt = one.place, Excerpts().of(one.place)
    written = {"end_column": excerpt.end, "text": excerpt.text} if excerpt is not None else {}
    return {
        "code": one.code,
        "severity": str(one.severity),
        "summary": one.summary,
        "detail": one.detail,
        "address": one.address,
        "place": {"file": place.file, "line": place.line, "column": place.column, **written}
        if place is not None
        else None,
    }
