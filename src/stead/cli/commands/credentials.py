"""Show the keys with which a bucket is used: of its project, and for clients of S3 and Swift.

  stead credentials acme/buckets/www           endpoint, access key and secret key
  stead credentials acme/buckets/www --json    the same, for programs

The keys are made from the secret of the object store, so this needs a spec whose secret can be read: give the same
vault password as for an apply. Keys are valid after the next apply, where the secret or the store is new.

exit status: 0; 1 when there is no such bucket, or when it was not applied yet
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import Any

from stead.cli.common import options as shared
from stead.cli.common.workspace import open_state, read_spec
from stead.core.address import Address, parse
from stead.core.diagnostics import Code, Refused, has_errors
from stead.core.fields import Secret
from stead.core.recorded import Recorded
from stead.kinds import kinds
from stead.language.reading.context import nearest

NONE = Code("STEAD-C110", "there are no credentials for this")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("address", metavar="ADDRESS", help="of a bucket: acme/buckets/www")
    shared.inputs(parser)
    shared.output(parser)


def run(options: argparse.Namespace) -> int:
    workspace = shared.workspace_of(options)
    desired, found = read_spec(workspace)
    if has_errors(found):
        raise Refused(*found)
    address = parse(options.address)
    block = desired.by_address.get(address) if address is not None else None
    shows = kinds()[block.kind].credentials if block is not None else None
    recorded = open_state(workspace).recorded()
    if block is None or shows is None or address not in recorded.resources:
        able = [str(one) for one in recorded.resources if kinds()[one.kind].credentials is not None]
        known = f"These have: {', '.join(sorted(able)[:8])}." if able else "Nothing that is applied has."
        text = f"{options.address} is not applied, or has none.{nearest(options.address, able)} {known}"
        raise Refused(NONE.at(None, text))
    told = shows(block, desired, lambda one: _applied(recorded, one))
    plain = {name: one.reveal() if isinstance(one, Secret) else one for name, one in told.items()}
    print(json.dumps(plain, indent=1) if options.json else "\n".join(f"{name} = {one}" for name, one in plain.items()))
    return 0


def _applied(recorded: Recorded, address: Address) -> Mapping[str, Any]:
    """Its want on any host: what is asked for is the same on all of them."""
    record = recorded.resources.get(address)
    return next((want.fields() for want in record.wants.values()), {}) if record is not None else {}
