"""Write specs in one style: two spaces, sections in a fixed order, no trailing spaces. Comments stay.

stead fmt              the files of this directory, in place
stead fmt --check      change nothing; exit status 1 when a file would change
stead fmt --diff       show what would change
"""

from __future__ import annotations

import argparse
import difflib
import sys
from pathlib import Path

from stead.core.diagnostics import Diagnostic, Refused


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="files or directories (default: .); - is standard input"
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="change nothing; exit 1 if a file would change")
    mode.add_argument("--diff", action="store_true", help="change nothing; show the differences")


def run(options: argparse.Namespace) -> int:
    from stead.language.formatting import formatted

    if options.paths == ["-"]:
        text, found = formatted(sys.stdin.buffer.read().decode("utf-8", "surrogateescape"), "-")
        if found:
            raise Refused(*found)
        sys.stdout.write(text)
        return 0
    wrong: list[Diagnostic] = []
    changed = 0
    for path in files(options.paths or ["."]):
        before = path.read_text(encoding="utf-8", errors="surrogateescape")
        after, found = formatted(before, str(path))
        wrong += found
        if found or after == before:
            continue
        changed += 1
        if options.diff:
            lines = difflib.unified_diff(before.splitlines(True), after.splitlines(True), str(path), str(path))
            sys.stdout.writelines(lines)
        elif options.check:
            print(f"{path} would change")
        else:
            path.write_text(after, encoding="utf-8")
            print(f"{path} changed")
    if wrong:
        raise Refused(*wrong)
    return 1 if options.check and changed else 0


def files(paths: list[str]) -> list[Path]:
    found: list[Path] = []
    for path in map(Path, paths):
        found += sorted([*path.glob("*.yml"), *path.glob("*.yaml")]) if path.is_dir() else [path]
    return found
