"""Write a demo that works at once, or the first files of a site of your own.

  stead init demo && cd demo && stead plan && stead apply    on simulated hosts: no root, no machines
  stead init                                                 stead.yml and inventory.yml here, to fill in
  stead init cloud                                           the same in a directory of their own

Nothing that exists is overwritten.

exit status: 0; 1 when a file is there already
"""

from __future__ import annotations

import argparse
import sys
from importlib.resources import files
from pathlib import Path

from stead.core.diagnostics import Code, Refused

IN_THE_WAY = Code("STEAD-C050", "a file already exists")
DEMO = "demo"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "name", nargs="?", default="", help=f"`{DEMO}`: write the demo; another: the directory of a site of your own"
    )
    parser.add_argument("-C", "--directory", metavar="DIR", help="write it here (default: NAME, or . without one)")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def run(options: argparse.Namespace) -> int:
    target = Path(options.directory or options.name or ".")
    written = write(DEMO if options.name == DEMO else "site", target)
    if options.json:
        import json

        print(json.dumps({"written": [str(path) for path in written]}, indent=1))
        return 0
    for path in written:
        print(path)
    first = f"cd {target}, then " if str(target) != "." else ""
    print(f"Next: {first}`stead plan` shows what would be made, `stead apply` makes it.", file=sys.stderr)
    return 0


def write(template: str, target: Path) -> list[Path]:
    """All of it, or nothing."""
    source = files("stead.cli") / "templates" / template
    texts = {target / one.name: one.read_text(encoding="utf-8") for one in sorted(source.iterdir(), key=str)}
    there = [str(path) for path in texts if path.exists()]
    if there:
        raise Refused(
            IN_THE_WAY.at(None, f"{', '.join(there)}: nothing was written. Choose another directory with -C.")
        )
    try:
        target.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refused(IN_THE_WAY.at(None, f"{error.filename}: {error.strerror}.")) from error
    return list(texts)
