"""Finds the command that was asked for, runs it, and turns every failure into a message and an exit status."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import NoReturn

from stead.cli import COMMANDS
from stead.cli.say import as_data, complain
from stead.diagnostics import Code, Refused

UNKNOWN = Code("STEAD-C001", "no such command")
USAGE = 1
INTERRUPTED = 130


def dispatch(arguments: Sequence[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(overview())
        return 0 if arguments else USAGE
    name, *rest = arguments
    if name not in COMMANDS:
        complain([UNKNOWN.at(None, f"There is no command {name!r}.{nearest(name)} `stead --help` lists them.")])
        return USAGE
    return invoke(name, rest)


class Parser(argparse.ArgumentParser):
    """Mistakes in options exit with 1, not with argparse's 2: that means changes, and a pipeline acts on it."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def invoke(name: str, rest: Sequence[str]) -> int:
    command = importlib.import_module(f"stead.cli.{name}")
    parser = Parser(
        prog=f"stead {name}", description=command.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    command.arguments(parser)
    options = parser.parse_args(rest)
    try:
        return int(command.run(options))
    except Refused as refusal:
        if getattr(options, "json", False):
            import json

            print(json.dumps({"diagnostics": [as_data(one) for one in refusal.diagnostics]}, indent=1))
        else:
            complain(refusal.diagnostics)
        return 1
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED


def overview() -> str:
    width = max(map(len, COMMANDS))
    lines = ["usage: stead COMMAND [OPTIONS]", "", "A private cloud without a control plane.", ""]
    lines += [f"  {name:<{width}}  {text}" for name, text in COMMANDS.items()]
    return "\n".join([*lines, "", "`stead COMMAND --help` tells the options of one."])


def nearest(word: str) -> str:
    import difflib

    match = difflib.get_close_matches(word, COMMANDS, n=1)
    return f" Did you mean `{match[0]}`?" if match else ""
