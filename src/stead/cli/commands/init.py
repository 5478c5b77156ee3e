"""Write a demo that works at once, or the first files of a site of your own.

  stead init demo && cd demo && stead plan && stead apply    on simulated hosts: no root, no machines
  stead init                                                 stead.yml and inventory.yml here, to fill in
  stead init cloud                                           the same in a directory of their own
  stead init --here                                          for a cloud on this very machine

Nothing that exists is overwritten. Editors that know yaml-language-server complete and explain stead.yml, by the schema
in .stead: `stead schema > .stead/schema.json` writes it again, in a new clone or after an upgrade.

exit status: 0; 1 when a file is there already
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

from stead.cli.common.workspace import DIRECTORY
from stead.core.diagnostics import Code, Refused

IN_THE_WAY = Code("STEAD-C050", "a file already exists")
DEMO = "demo"
ANYWHERE = "`stead plan` shows what would be made, `stead apply` makes it."
HERE = (
    "`stead bootstrap` installs what this machine needs, `stead doctor` checks it. "
    f"With an image at the place that stead.yml names, {ANYWHERE}"
)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "name", nargs="?", default="", help=f"`{DEMO}`: write the demo; another: the directory of a site of your own"
    )
    parser.add_argument(
        "--here", action="store_true", help="this machine is the only host: it gets all roles, and is not asked by SSH"
    )
    parser.add_argument("-C", "--directory", metavar="DIR", help="write it here (default: NAME, or . without one)")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def run(options: argparse.Namespace) -> int:
    target = Path(options.directory or options.name or ".")
    written = write("here", target, _own()) if options.here else write(_template(options.name), target)
    write_schema(target)
    if options.json:
        import json

        print(json.dumps({"written": [str(path) for path in written]}, indent=1))
        return 0
    for path in written:
        print(path)
    first = f"cd {target}, then " if str(target) != "." else ""
    print(f"Next: {first}{HERE if options.here else ANYWHERE}", file=sys.stderr)
    return 0


def _template(name: str) -> str:
    return DEMO if name == DEMO else "site"


def _own() -> Mapping[str, str]:
    from stead.cli.common import own_machine

    return own_machine.told()


def write(template: str, target: Path, values: Mapping[str, str] = MappingProxyType({})) -> list[Path]:
    """All of it, or nothing. Each `$name` is a value."""
    source = files("stead.cli") / "templates" / template
    texts = {
        target / one.name: _filled(one.read_text(encoding="utf-8"), values) for one in sorted(source.iterdir(), key=str)
    }
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


def write_schema(target: Path) -> None:
    """Where the first line of stead.yml has editors look for it."""
    import json

    from stead.kinds import kinds
    from stead.language.schema import schema
    from stead.store.init import make_directory

    directory = target / DIRECTORY
    try:
        make_directory(directory)
        (directory / "schema.json").write_text(json.dumps(schema(kinds())), encoding="utf-8")
    except OSError as error:
        raise Refused(IN_THE_WAY.at(None, f"{error.filename}: {error.strerror}.")) from error


def _filled(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"${name}", value)
    return text
