"""Print outputs of the last apply.

  stead output                 all, as name = value
  stead output web_address     one, only the value, for scripts
  stead output --json          all, for programs

A secret output is printed as (secret): it is stored encrypted, and only an apply decrypts it.

exit status: 0; 1 when there is no such output
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from stead.cli.common import options as shared
from stead.cli.common.workspace import open_state
from stead.core.diagnostics import Code, Refused
from stead.plan.render.values import opened, shown

NO_OUTPUT = Code("STEAD-C041", "there is no such output")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="only this one")
    shared.inputs(parser)
    shared.output(parser)


def run(options: argparse.Namespace) -> int:
    outputs = opened(dict(open_state(shared.workspace_of(options)).outputs()))
    if options.name is None:
        print_all(outputs, as_json=options.json)
        return 0
    if options.name not in outputs:
        known = f"There are {', '.join(outputs)}." if outputs else "The last apply had none."
        raise Refused(NO_OUTPUT.at(None, f"There is no output {options.name!r}. {known}"))
    value = outputs[options.name]
    print(json.dumps(value) if options.json or not isinstance(value, str) else value)
    return 0


def print_all(outputs: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(outputs, indent=1, ensure_ascii=False))
        return
    for name, value in outputs.items():
        print(f"{name} = {shown(value)}")
