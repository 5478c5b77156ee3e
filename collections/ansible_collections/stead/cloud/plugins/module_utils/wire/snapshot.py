# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When two snapshots differ. A snapshot never changes; another volume makes it another one."""

from __future__ import annotations

from typing import Any, List, Mapping, TypedDict

from . import compare as generic
from .parts import Identified, PoolPlace

SOURCES = ("instance", "volume")


class SnapshotSource(TypedDict, total=False):
    address: str
    uuid: str


class SnapshotWant(Identified, total=False):
    format: str
    freeze: bool
    instance: SnapshotSource  # or
    pool: PoolPlace
    volume: SnapshotSource


def compare(want: Mapping[str, Any], have: Mapping[str, Any]) -> List[generic.Difference]:
    # Whether file systems were frozen matters only when the snapshot is taken.
    wanted, there = _compared(want), _compared(have)
    for what in SOURCES:
        if _of(want, what).get("address") == _of(have, what).get("address"):
            # If that was made anew, the snapshot is still of the old one, and is kept.
            there[what] = wanted[what]
    if there["instance"]:
        # Where its disks were is known where they were copied; the instance may boot from another pool now.
        there["pool"] = wanted.get("pool")
    return generic.compare(wanted, there)


def _compared(fields: Mapping[str, Any]) -> dict[str, Any]:
    # What was renamed is the same.
    return dict(generic.without(fields, "freeze"), **{what: _of(fields, what).get("uuid") for what in SOURCES})


def _of(fields: Mapping[str, Any], what: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = fields.get(what) or {}
    return found
