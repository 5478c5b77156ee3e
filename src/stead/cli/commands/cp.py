"""Copy files to an instance, or from it. One side is ADDRESS:PATH.

  stead cp app.tar acme/instances/web:/srv/
  stead cp -r 'acme/instances/web[0]:/var/log/app' logs

exit status: that of scp; 1 when there is no such instance
"""

from __future__ import annotations

import argparse

from stead.cli.commands.ssh import become, is_instance, reach, way
from stead.cli.common import options as shared
from stead.core.diagnostics import Code, Refused

ONE_SIDE = Code("STEAD-C080", "one side of a copy must be an instance")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", nargs="+", metavar="SOURCE", help="files here, or ADDRESS:PATH")
    parser.add_argument("target", metavar="TARGET", help="ADDRESS:PATH, or a file or directory here")
    parser.add_argument("-r", "--recursive", action="store_true", help="copy directories")
    way(parser)


def run(options: argparse.Namespace) -> int:
    sides = [*options.source, options.target]
    remote = {text: who for text in sides if (who := _instance(text))}
    whose = set(remote.values())
    sources = [text in remote for text in options.source]
    if len(whose) != 1 or any(sources) != all(sources) or any(sources) == (options.target in remote):
        text = (
            "Write ADDRESS:PATH on one side, such as acme/instances/web:/srv/, and files of this machine on the other."
        )
        raise Refused(ONE_SIDE.at(None, text))
    workspace = shared.workspace_of(options)
    found = reach(workspace, whose.pop(), user=options.user, key=options.key, more=options.option)
    host = f"[{found.address}]" if ":" in found.address else found.address
    words = [f"{host}:{text[len(remote[text]) + 1 :]}" if text in remote else _here(text) for text in sides]
    become(["scp", *(["-r"] if options.recursive else []), *found.options, "--", *words])


def _instance(text: str) -> str:
    """The address before the colon. Empty where that is none: a file's name may have one."""
    return next((text[:at] for at, one in enumerate(text) if one == ":" and is_instance(text[:at])), "")


def _here(text: str) -> str:
    """Not taken for a host's name by scp."""
    return text if text.startswith("/") else f"./{text}"
