# Copyright: Stead contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files of the controller's in which a host's answer is kept."""

from __future__ import annotations

import contextlib
import glob
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any


def write(path: str, value: Any) -> None:
    """Whole or not at all, and for nobody else to read."""
    handle, name = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".", suffix=".new")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(value, file)
    os.replace(name, path)


def read(path: str) -> Any:
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return None


def steps_with(folder: str, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Host and step of a wave, from the files of hosts that have this text: few have, and all of one is long."""
    for path in glob.glob(os.path.join(glob.escape(folder), "*.json")):
        with open(path, encoding="utf-8") as file:
            found = file.read()
        if text in found:
            host = os.path.basename(path)[: -len(".json")]
            yield from ((host, step) for step in json.loads(found).get("steps") or ())


def taken(path: str) -> Any:
    """What is secret in a file, which nobody needs any more."""
    found = read(path) or {}
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    return found
