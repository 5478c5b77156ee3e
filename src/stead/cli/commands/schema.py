"""Print the JSON Schema of the spec, for editors and validators.

stead schema > stead.language.schema.json
stead schema --kind volumes
"""

from __future__ import annotations

import argparse
import json

from stead.core.diagnostics import Code, Refused

NO_KIND = Code("STEAD-C043", "no such kind")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kind", metavar="PLURAL", help="only of this kind, such as volumes")


def run(options: argparse.Namespace) -> int:
    from stead.kinds import kinds
    from stead.language.reading import nearest
    from stead.language.schema import one_kind, schema

    known = kinds()
    if options.kind and options.kind not in known:
        text = f"There is no kind {options.kind!r}.{nearest(options.kind, known)} There are {', '.join(known)}."
        raise Refused(NO_KIND.at(None, text))
    print(json.dumps(one_kind(options.kind, known) if options.kind else schema(known), indent=2))
    return 0
