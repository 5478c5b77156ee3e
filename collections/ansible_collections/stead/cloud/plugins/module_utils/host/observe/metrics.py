"""`/usr/lib/stead/metrics VERB`: what guests of this host use, and who answers behind its load balancers.

`write FILE` is what stead-metrics.service runs: the file is for node_exporter's textfile collector. `rates SECONDS` is
what `stead top` asks over SSH: one line of JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any, Dict, Sequence
from uuid import UUID

from ..base import paths
from ..base.errors import Failed
from ..base.exposition import written
from ..net.backends import backends
from . import measuring

READABLE = 0o644
LONGEST = 60.0


def write(path: str) -> None:
    """Whole or not at all. Where libvirt does not answer, there is no file: old numbers would look like new ones."""
    began = time.monotonic()
    try:
        text = written(measuring.metrics(measuring.uses(), time.monotonic() - began))
    except Exception:
        paths.remove(path)
        raise
    paths.write(path, text, READABLE)


def rates(seconds: str) -> Dict[str, Any]:
    return {"guests": measuring.rates(min(float(seconds), LONGEST))}


def _run(verb: str, value: str) -> None:
    if verb == "write":
        write(os.path.abspath(value))
    elif verb == "rates":
        sys.stdout.write(json.dumps(rates(value)) + "\n")
    elif verb == "backends":
        sys.stdout.write(json.dumps({"backends": backends(str(UUID(value)))}) + "\n")
    else:
        raise ValueError(verb)


def main(arguments: Sequence[str]) -> int:
    try:
        verb, value = arguments
        _run(verb, value)
    except ValueError:
        sys.stderr.write("usage: metrics write FILE | rates SECONDS | backends UUID\n")
        return 2
    except Failed as error:
        sys.stderr.write("{0}\n".format(error))
        return 1
    return 0
