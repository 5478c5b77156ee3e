"""Print a project of the API as the text of a project's file.

  stead export acme                         to the terminal
  stead export acme -o tenants/acme.yml     to a new file, which only you can read: user data may have secrets

The file has the same resources under the same names. `stead project acme --to-files` then hands the project over.

exit status: 0; 1 when the API has no such project, or the file is there already
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from stead.cli.common import options as shared
from stead.core.diagnostics import Code, Refused

THERE = Code("STEAD-C073", "a file is there already")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("project", metavar="PROJECT", help="a project of the API")
    parser.add_argument("-o", "--out", metavar="FILE", help="write it to this new file (default: print it)")
    shared.inputs(parser)


def run(options: argparse.Namespace) -> int:
    from stead.cli.common.serving import means, required

    required()
    from stead.serve.cloud import Cloud
    from stead.serve.handover import text_of

    text = text_of(Cloud(means(shared.workspace_of(options))), options.project)
    if options.out is None:
        print(text, end="")
    else:
        write_private(Path(options.out), text)
    return 0


def write_private(path: Path, text: str) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Refused(THERE.at(None, f"{path} is there already. Name another file, or remove it.")) from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
