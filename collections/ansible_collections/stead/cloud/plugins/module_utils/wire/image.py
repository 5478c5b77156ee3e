# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When two images differ. Where a host fetched its copy from does not matter once it has it."""

from __future__ import annotations

from typing import Any, List, Mapping, TypedDict

from . import compare as generic
from .parts import Identified


class Keeper(TypedDict):
    """The host that gives an image to others."""

    host: str
    server: str


_From = TypedDict("_From", {"from": Keeper}, total=False)  # no name of Python's


class ImageWant(Identified, _From, total=False):
    source: str
    checksum: str
    compression: str
    format: str
    size: int
    keeps: bool  # for other hosts


def compare(want: Mapping[str, Any], have: Mapping[str, Any]) -> List[generic.Difference]:
    wanted, there = _compared(want), _compared(have)
    if wanted.get("checksum") and wanted.get("checksum") == there.get("checksum"):
        # The same content from elsewhere.
        wanted.pop("source", None)
        there.pop("source", None)
    return generic.compare(wanted, there)


def _compared(fields: Mapping[str, Any]) -> dict[str, Any]:
    found = generic.without(fields, "from")
    if found.get("checksum"):
        found["checksum"] = found["checksum"].lower()
    return found
