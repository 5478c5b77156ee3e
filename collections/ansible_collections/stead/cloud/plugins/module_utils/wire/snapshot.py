# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When two snapshots differ. A snapshot never changes; another volume makes it another one."""

from __future__ import annotations

from typing import Any, List, Mapping, TypedDict

from . import compare as generic
from .parts import Identified, PoolPlace


class VolumeRef(TypedDict, total=False):
    address: str
    uuid: str


class SnapshotWant(Identified, total=False):
    format: str
    freeze: bool
    pool: PoolPlace
    volume: VolumeRef


def compare(want: Mapping[str, Any], have: Mapping[str, Any]) -> List[generic.Difference]:
    # Whether file systems were frozen matters only when the snapshot is taken.
    wanted, there = _compared(want), _compared(have)
    if _of(want).get("address") == _of(have).get("address"):
        # If the volume was made anew, the snapshot is still of the old one, and is kept.
        there["volume"] = wanted["volume"]
    return generic.compare(wanted, there)


def _compared(fields: Mapping[str, Any]) -> dict[str, Any]:
    # A volume that was renamed is the same volume.
    return dict(generic.without(fields, "freeze"), volume=_of(fields).get("uuid"))


def _of(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = fields.get("volume") or {}
    return found
