"""Finds the command that was asked for, runs it, and turns every failure into a message and an exit status."""

from __future__ import annotations

import argparse
import importlib
import re
from collections.abc import Iterable, Sequence
from typing import NoReturn

from stead.cli import COMMANDS, INTERRUPTED
from stead.cli.common.console_output import as_data, complain
from stead.core.diagnostics import Code, Diagnostic, Refused

UNKNOWN = Code("STEAD-C001", "no such command")
BAD_USAGE = Code("STEAD-C002", "invalid command line")
CUT_OFF = Code("STEAD-C003", "the output cannot be written")
NO_ACCESS = Code("STEAD-C005", "the operating system refuses access to a file")
NO_MEMORY = Code("STEAD-C004", "not enough memory")
USAGE = 1
_CHOICE = re.compile(r"argument (?:(-.*)|.*): invalid choice: '(.*)' \(choose from (.*)\)")


def whole(arguments: Sequence[str]) -> int:
    """As the program: everything that was to be printed must have been, or its status says so."""
    from stead.cli.common import streams

    streams.settle()
    status = dispatch(arguments)
    if (failure := streams.lost()) is not None:
        return refused([CUT_OFF.at(None, f"{failure.strerror}. The output is incomplete.")])
    return status


def dispatch(arguments: Sequence[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(overview())
        return 0 if arguments else USAGE
    name, *rest = arguments
    if name not in COMMANDS:
        told = UNKNOWN.at(None, f"There is no command {name!r}.{nearest(name, COMMANDS)} `stead --help` lists them.")
        return refused([told], as_json="--json" in rest)
    return invoke(name, rest)


class Parser(argparse.ArgumentParser):
    """Mistakes in options exit with 1, not with argparse's 2: that means changes, and a pipeline acts on it."""

    as_json = False  # of what is wrong: asked for in the very words that cannot be understood

    def error(self, message: str) -> NoReturn:
        text = f"{self._told(message)} `{self.prog} --help` lists its arguments."
        self.exit(refused([BAD_USAGE.at(None, text)], as_json=self.as_json))

    def _told(self, message: str) -> str:
        """argparse's words, with what may have been meant."""
        _, unknown, words = message.partition("unrecognized arguments: ")
        if unknown:
            option = next((word.partition("=")[0] for word in words.split() if word.startswith("-")), "")
            if option:
                return f"`{self.prog}` has no option {option!r}.{nearest(option, self._option_string_actions)}"
            return f"`{self.prog}` takes no argument {words!r}."
        if found := _CHOICE.search(message):
            option, word, known = found[1], found[2], found[3].replace("'", "")
            return f"{f'{option}: ' if option else ''}{word!r} is none of {known}.{nearest(word, known.split(', '))}"
        return f"{message[:1].upper()}{message[1:]}."


def invoke(name: str, rest: Sequence[str]) -> int:
    command = importlib.import_module(f"stead.cli.commands.{name}")
    Parser.as_json = "--json" in rest
    parser = Parser(prog=f"stead {name}", description=command.__doc__, formatter_class=_of_no_terminal)
    command.arguments(parser)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    # What follows `--` is another program's. argparse takes it for arguments that it has filled already.
    end = rest.index("--") if getattr(command, "RUNS_A_COMMAND", False) and "--" in rest else len(rest)
    options = parser.parse_args(rest[:end])
    options.after = rest[end + 1 :]
    options.typed = [name, *rest]
    as_json = bool(getattr(options, "json", False)) or getattr(options, "format", None) == "json"
    try:
        return int(command.run(options))
    except Refused as refusal:
        return refused(refusal.diagnostics, as_json=as_json)
    except OSError as error:
        if error.filename is None:  # no file of the user's: a mistake of ours
            raise
        return refused([NO_ACCESS.at(None, f"{error.filename}: {error.strerror}.")], as_json=as_json)
    except MemoryError:
        return refused(
            [NO_MEMORY.at(None, "The machine has no memory left, or this process has reached its limit.")],
            as_json=as_json,
        )
    except KeyboardInterrupt:
        return INTERRUPTED


def _of_no_terminal(prog: str) -> argparse.HelpFormatter:
    """While options are declared, argparse formats each to see that it can. How wide the terminal is, it asks with all
    the compression libraries of Python.
    """
    return argparse.HelpFormatter(prog, width=200)


def refused(diagnostics: Sequence[Diagnostic], *, as_json: bool = False) -> int:
    if as_json:
        import json

        print(json.dumps({"diagnostics": [as_data(one) for one in diagnostics]}, indent=1))
    else:
        complain(diagnostics)
    return USAGE


def overview() -> str:
    width = max(map(len, COMMANDS))
    lines = ["usage: stead COMMAND [OPTIONS]", "", "A private cloud without a control plane.", ""]
    lines += [f"  {name:<{width}}  {text}" for name, text in COMMANDS.items()]
    return "\n".join([*lines, "", "`stead COMMAND --help` shows the options of a command."])


def nearest(word: str, known: Iterable[str]) -> str:
    import difflib

    match = difflib.get_close_matches(word, list(known), n=1)
    return f" Did you mean `{match[0]}`?" if match else ""
