"""Run the tests of a spec: what must be planned, placed or refused, and what must still run when hosts fail.

  stead test                    every *.test.yml below this directory
  stead test --format junit     for CI

exit status: 0 when all tests pass, 1 when a test fails or there is none
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from stead.core.diagnostics import Code, Refused

NO_TESTS = Code("STEAD-T001", "there are no tests here")
FORMATS = ("text", "json", "junit")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="*", metavar="PATH", help="test files or directories (default: .)")
    parser.add_argument("--format", choices=FORMATS, default="text")
    parser.add_argument("--json", action="store_const", const="json", dest="format", help="the same as --format json")


def run(options: argparse.Namespace) -> int:
    from stead.testing import as_data, junit, run_file, text

    files = [file for path in map(Path, options.paths or ["."]) for file in _tests(path)]
    if not files:
        where = ", ".join(options.paths) or "this directory"
        raise Refused(NO_TESTS.at(None, f"{where} has no file whose name ends in .test.yml."))
    results = [result for file in files for result in run_file(file)]
    match options.format:
        case "json":
            print(json.dumps(as_data(results), indent=1))
        case "junit":
            print(junit(results))
        case _:
            print("\n".join(text(results)))
    return 1 if any(one.wrong for one in results) else 0


def _tests(path: Path) -> list[Path]:
    return sorted([*path.rglob("*.test.yml"), *path.rglob("*.test.yaml")]) if path.is_dir() else [path]
