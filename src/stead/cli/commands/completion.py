"""Print a completion script for your shell: commands, options, their values, and addresses.

  source <(stead completion bash)                       in ~/.bashrc
  source <(stead completion zsh)                        in ~/.zshrc
  stead completion fish > ~/.config/fish/completions/stead.fish

exit status: 0
"""

from __future__ import annotations

import argparse
import importlib
import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from stead.cli import COMMANDS
from stead.core.diagnostics import Code, Refused

if TYPE_CHECKING:
    from stead.cli.common.workspace import Workspace

NO_SHELL = Code("STEAD-C042", "the shell is not named")

# All three hand over the words up to the cursor, the unfinished one last, and take one suggestion a line.
_BASH = """_stead() {
    local IFS=$'\\n'
    local line="${COMP_LINE:0:COMP_POINT}"
    local cur="${line##* }"
    cur="${cur#\\"}"
    cur="${cur#"'"}"
    COMPREPLY=($(compgen -W "$(STEAD_COMPLETE="$line" stead completion --words 2>/dev/null)" -- "$cur"))
    # Bash breaks words at = and :, and wants back only what follows the last of them.
    local broken="${cur%"${cur##*[=:]}"}"
    COMPREPLY=("${COMPREPLY[@]#"$broken"}")
}
complete -o default -F _stead stead
"""
_ZSH = """#compdef stead
_stead() {
    local -a found
    found=("${(@f)$(STEAD_COMPLETE="${(j: :)words[1,CURRENT]}" stead completion --words 2>/dev/null)}")
    [[ -n "$found" ]] && compadd -- $found || _files
}
compdef _stead stead
"""
_FISH = """function __stead_words
    set -l found (STEAD_COMPLETE=(commandline -cp | string collect) stead completion --words 2>/dev/null)
    if count $found >/dev/null
        printf '%s\\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c stead -f -a '(__stead_words)'
"""
SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", nargs="?", choices=sorted(SCRIPTS), help="your shell")
    parser.add_argument("--words", action="store_true", help=argparse.SUPPRESS)


def run(options: argparse.Namespace) -> int:
    if options.words:
        line = os.environ.get("STEAD_COMPLETE", "")
        words = line.split()
        print("\n".join(suggestions([*words[1:], *([""] if line[-1:].isspace() else [])])))
        return 0
    if options.shell is None:
        raise Refused(NO_SHELL.at(None, f"Name one of: {', '.join(SCRIPTS)}."))
    print(SCRIPTS[options.shell], end="")
    return 0


def suggestions(words: Sequence[str]) -> list[str]:
    """What may stand in the place of the last word, which is not finished. Nothing where a file may stand."""
    if len(words) < 2:
        return _beginning(words[-1] if words else "", COMMANDS)
    name, *before, word = words
    word = word.lstrip("\"'")  # of an address that is being quoted
    if name not in COMMANDS:
        return []
    parser, rest = _innermost(parser_of(name), before)
    flag, equals, begun = word.partition("=")
    if equals and (action := _option(parser, flag)) is not None:
        return [f"{flag}={one}" for one in _beginning(begun, _values(action, before))]
    if word.startswith("-"):
        return _beginning(word, _flags(parser))
    asked = _asked(parser, rest)
    return _beginning(word, _values(asked, before)) if asked is not None else []


def parser_of(name: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"stead {name}")
    importlib.import_module(f"stead.cli.commands.{name}").arguments(parser)
    return parser


def _innermost(parser: argparse.ArgumentParser, words: Sequence[str]) -> tuple[argparse.ArgumentParser, Sequence[str]]:
    """The parser of `state mv`, and the words that are for it."""
    subs = next((one for one in parser._actions if isinstance(one, argparse._SubParsersAction)), None)  # noqa: SLF001
    if subs is not None:
        for at, word in enumerate(words):
            if word in subs.choices:
                return subs.choices[word], words[at + 1 :]
    return parser, words


def _option(parser: argparse.ArgumentParser, flag: str) -> argparse.Action | None:
    return next((one for one in parser._actions if flag in one.option_strings), None)  # noqa: SLF001 - see _flags


def _asked(parser: argparse.ArgumentParser, words: Sequence[str]) -> argparse.Action | None:
    """What comes after these words: the value of an option, or the next word that belongs to none."""
    seen, waiting = 0, None
    for word in words:
        if waiting is not None:
            waiting = None
        elif word.startswith("-") and len(word) > 1:
            action = _option(parser, word)
            waiting = action if action is not None and action.nargs != 0 else None
        else:
            seen += 1
    if waiting is not None:
        return waiting
    for action in (one for one in parser._actions if not one.option_strings):  # noqa: SLF001 - see _flags
        if seen == 0 or action.nargs in ("*", "+"):
            return action
        seen -= 1
    return None


def _flags(parser: argparse.ArgumentParser) -> list[str]:
    actions = [one for one in parser._actions if one.help != argparse.SUPPRESS]  # noqa: SLF001 - argparse hides them
    return sorted(flag for one in actions for flag in one.option_strings if flag.startswith("--"))


def _values(action: argparse.Action, before: Sequence[str]) -> Iterable[str]:
    if action.choices is not None:
        return map(str, action.choices)
    from stead.cli.common import completions

    known = completions.KNOWN.get(action.dest)
    return known(_named_before(before)) if known is not None else ()


def _named_before(before: Sequence[str]) -> Workspace:
    """By the spec, inventory and store that were named already."""
    from stead.cli.common.options import inputs, workspace_of
    from stead.cli.common.workspace import find

    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    inputs(parser)
    try:
        return workspace_of(parser.parse_known_args(before)[0])
    except (argparse.ArgumentError, SystemExit):  # not finished
        return find()


def _beginning(word: str, among: Iterable[str]) -> list[str]:
    return [one for one in among if one.startswith(word)]
