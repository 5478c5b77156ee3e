"""Print the JSON Schema of the spec, for editors and validators.

stead schema > .stead/schema.json          where the first line of what `stead init` writes has editors look
stead schema --kind volumes
stead schema --part > part.schema.json      for included files, also those of a project's people
"""

from __future__ import annotations

import argparse
import json

from stead.core.diagnostics import Code, Refused

NO_KIND = Code("STEAD-C043", "no such kind")


def arguments(parser: argparse.ArgumentParser) -> None:
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--kind", metavar="PLURAL", help="only of this kind, such as volumes")
    only.add_argument("--part", action="store_true", help="of a file that is included: a part, or a project's own")


def run(options: argparse.Namespace) -> int:
    from stead.kinds import kinds
    from stead.language.reading import nearest
    from stead.language.schema import one_kind, part, schema

    known = kinds()
    if options.kind and options.kind not in known:
        text = f"There is no kind {options.kind!r}.{nearest(options.kind, known)} There are {', '.join(known)}."
        raise Refused(NO_KIND.at(None, text))
    made = one_kind(options.kind, known) if options.kind else part(known) if options.part else schema(known)
    print(json.dumps(made, indent=2))
    return 0
