"""Print outputs of the last apply.

  stead output                 all, as name = value
  stead output web_address     one, only the value, for scripts
  stead output --json          all, for programs
  stead output --reveal NAME   also if it is secret

A secret output is printed as (secret). What it is, nobody has stored: `--reveal` makes a plan for it, which needs what
`stead plan` needs, and the key of the site.

exit status: 0; 1 when there is no such output, or it cannot be revealed
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stead.cli.common import options as shared
from stead.cli.common.workspace import Workspace, open_state
from stead.core.diagnostics import Code, Refused
from stead.language.reading.context import nearest
from stead.plan.render.values import opened, shown

if TYPE_CHECKING:
    from stead.cli.common.applying import Secrets

NO_OUTPUT = Code("STEAD-C041", "there is no such output")
OTHER_SPEC = Code("STEAD-C120", "a secret output cannot be revealed")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="only this one")
    parser.add_argument("--reveal", action="store_true", help="print secrets, too")
    shared.inputs(parser)
    shared.output(parser)


def run(options: argparse.Namespace) -> int:
    workspace = shared.workspace_of(options)
    recorded = dict(open_state(workspace).outputs())
    if options.name is not None and options.name not in recorded:
        known = f"There are {', '.join(recorded)}." if recorded else "The last apply had none."
        raise Refused(
            NO_OUTPUT.at(None, f"There is no output {options.name!r}.{nearest(options.name, recorded)} {known}")
        )
    if options.reveal:
        wanted = recorded if options.name is None else {options.name: recorded[options.name]}
        recorded.update(revealed(wanted, secrets_of(workspace)))
    outputs = opened(recorded)
    if options.name is None:
        print_all(outputs, as_json=options.json)
        return 0
    value = outputs[options.name]
    print(json.dumps(value) if options.json or not isinstance(value, str) else value)
    return 0


def print_all(outputs: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(outputs, indent=1, ensure_ascii=False))
        return
    for name, value in outputs.items():
        print(f"{name} = {shown(value)}")


def secrets_of(workspace: Workspace) -> Secrets:
    """What is sealed in a plan made now."""
    from stead.cli.common.loading import load
    from stead.plan.planner import make_plan

    planned, found = make_plan(load(workspace).inputs)
    if planned.blueprint is None:
        raise Refused(*found)
    return planned.blueprint.secrets


def revealed(value: Any, secrets: Secrets) -> Any:
    match value:
        case Mapping() if "$secret" in value:
            if ("", value["$secret"]) in secrets:
                return secrets["", value["$secret"]]
            text = "The last apply had another value than a plan made now, or another key. Apply, and ask again."
            raise Refused(OTHER_SPEC.at(None, text))
        case Mapping():
            return {str(key): revealed(one, secrets) for key, one in value.items()}
        case list() | tuple():
            return [revealed(one, secrets) for one in value]
        case _:
            return value
