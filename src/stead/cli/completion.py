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
from contextlib import suppress

from stead.cli import COMMANDS
from stead.diagnostics import Code, Refused

NO_SHELL = Code("STEAD-C042", "which shell?")

ADDRESSES = frozenset({"--target", "--exclude", "--replace"})
# Commands whose words are addresses; what they are called in each does not matter here.
ADDRESSED = frozenset({"show", "explain", "state"})

# All three hand over the words up to the cursor, the unfinished one last, and take one suggestion a line.
_BASH = """_stead() {
    local IFS=$'\\n'
    local line="${COMP_LINE:0:COMP_POINT}"
    local cur="${line##* }"
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
    compadd -- $found
    _files
}
compdef _stead stead
"""
_FISH = """function __stead_words
    STEAD_COMPLETE=(commandline -cp | string collect) stead completion --words 2>/dev/null
end
complete -c stead -a '(__stead_words)'
"""
SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", nargs="?", choices=sorted(SCRIPTS), help="your shell")
    parser.add_argument("--words", action="store_true", help=argparse.SUPPRESS)
    parser.set_defaults(spec=None, inventory=None, store=None, simulated=False)


def run(options: argparse.Namespace) -> int:
    if options.words:
        line = os.environ.get("STEAD_COMPLETE", "")
        words = line.split()
        print("\n".join(suggestions([*words[1:], *([""] if line[-1:].isspace() else [])], options)))
        return 0
    if options.shell is None:
        raise Refused(NO_SHELL.at(None, f"Say which: {', '.join(SCRIPTS)}."))
    print(SCRIPTS[options.shell], end="")
    return 0


def suggestions(words: Sequence[str], options: argparse.Namespace) -> list[str]:
    """What may stand in the place of the last word, which is not finished."""
    if len(words) < 2:
        return _beginning(words[-1] if words else "", COMMANDS)
    name, before, word = words[0], words[-2], words[-1]
    if name not in COMMANDS:
        return []
    parser = parser_of(name)
    if word.startswith("-"):
        return _beginning(word, _flags(parser))
    action = next((one for one in parser._actions if before in one.option_strings), None)  # noqa: SLF001
    if before in ADDRESSES or (name in ADDRESSED and not (action and action.nargs != 0)):
        return _beginning(word, addresses(options))
    choices = (action.choices if action else _positional(parser)) or ()
    return _beginning(word, map(str, choices))


def parser_of(name: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"stead {name}")
    importlib.import_module(f"stead.cli.{name}").arguments(parser)
    return parser


def _flags(parser: argparse.ArgumentParser) -> list[str]:
    actions = [one for one in parser._actions if one.help != argparse.SUPPRESS]  # noqa: SLF001 - argparse hides them
    return sorted(flag for one in actions for flag in one.option_strings if flag.startswith("--"))


def _positional(parser: argparse.ArgumentParser) -> Iterable[str]:
    return next((one.choices for one in parser._actions if one.choices and not one.option_strings), ())  # noqa: SLF001


def addresses(options: argparse.Namespace) -> list[str]:
    """Of the store, and of the spec where it can be read. A mistake in either must not disturb someone who types."""
    from stead.cli.workspace import find, open_state, read_spec

    found: set[str] = set()
    workspace = find(options)
    for read in (
        lambda: open_state(workspace).recorded().resources,
        lambda: read_spec(workspace)[0].by_address,
    ):
        with suppress(Refused):
            found.update(map(str, read()))
    return sorted(found)


def _beginning(word: str, among: Iterable[str]) -> list[str]:
    return [one for one in among if one.startswith(word)]
