"""Print what an instance wrote on its serial console.

  stead logs acme/instances/web               the last 200 lines
  stead logs acme/instances/web --lines 20
  stead logs 'acme/instances/web[0]' --follow

The host keeps the log, also while the instance is stopped. `--follow` prints what is added, until Ctrl-C ends it.
On a terminal, colours are left out and control characters are printed as codes: a guest may write anything.

exit status: 0; 1 when there is no such instance, or no log
"""

from __future__ import annotations

import argparse
import codecs
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from stead.cli.commands.console import guest_of
from stead.cli.common import options as shared
from stead.cli.common.consoles import NO_CONSOLE, no_log
from stead.core.diagnostics import Refused
from stead.plan.render.values import safe
from stead.site.ssh import ssh

if TYPE_CHECKING:
    from stead.core.recorded import Record

LINES = 200
CHUNK = 65536
# Colours, and where the cursor goes.
STEERING = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("address", metavar="ADDRESS", help="an instance")
    parser.add_argument(
        "-n", "--lines", type=shared.number(0), default=LINES, metavar="N", help="at most the last N lines"
    )
    parser.add_argument("-f", "--follow", action="store_true", help="go on with what is added, until Ctrl-C")
    shared.inputs(parser)


def run(options: argparse.Namespace) -> int:
    record, told, driver = guest_of(shared.workspace_of(options), options.address)
    if driver.console_log is None:
        raise Refused(NO_CONSOLE.at(None, f"{record.address}: its hypervisor keeps no log of consoles."))
    asked = driver.console_log(record.leases["uuid"], options.lines, lines=True, follow=options.follow)
    _copy(ssh(record.host, told, asked), record)
    return 0


def _copy(words: Sequence[str], record: Record) -> None:
    import subprocess
    import tempfile

    raw, decoder = not sys.stdout.isatty(), codecs.getincrementaldecoder("utf-8")("replace")
    with tempfile.TemporaryFile() as errors:
        try:
            child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors)
        except OSError as error:
            raise Refused(NO_CONSOLE.at(None, f"{words[0]}: {error.strerror}.")) from error
        with child:
            try:
                while piece := child.stdout.read1(CHUNK):  # type: ignore[union-attr]
                    sys.stdout.write(decoder.decode(piece) if raw else legible(decoder.decode(piece)))
                    sys.stdout.flush()
            except BaseException:  # Ctrl-C, or nobody reads on
                child.terminate()
                raise
        if child.returncode > 0:
            errors.seek(0)
            raise no_log(record, errors.read())


def legible(text: str) -> str:
    return "".join(part if part in "\n\t" else safe(part) for part in re.split(r"([\n\t])", STEERING.sub("", text)))
