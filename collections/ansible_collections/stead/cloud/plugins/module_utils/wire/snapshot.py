# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When two snapshots differ. A snapshot never changes; another volume makes it another one."""

from __future__ import annotations

from typing import Any, List, Mapping

from . import compare as generic


def compare(want: Mapping[str, Any], have: Mapping[str, Any]) -> List[generic.Difference]:
    # Whether file systems were frozen matters when it is taken, and never again.
    return generic.compare(*(_compared(fields) for fields in (want, have)))


def _compared(fields: Mapping[str, Any]) -> dict[str, Any]:
    found = generic.without(fields, "freeze")
    # A volume that was renamed is the same volume.
    found["volume"] = (fields.get("volume") or {}).get("uuid")
    return found
