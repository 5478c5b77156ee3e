# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When two volumes differ. What a volume was made from is its past; qemu-img rounds sizes to whole sectors."""

from __future__ import annotations

from typing import Any, List, Mapping, TypedDict

from . import compare as generic
from .parts import Identified, ImageRef, PoolPlace, Qos

SECTOR = 512


class SourceRef(TypedDict, total=False):
    address: str
    pool: PoolPlace
    uuid: str
    volume_uuid: str  # of a snapshot's volume
    asked: int  # it went back to that snapshot in this state of the store, so another time is another want


class BackupRef(TypedDict):
    id: str
    of: str  # the address that it is a backup of


class VolumeOrigin(TypedDict, total=False):
    """What it is made from: one of these."""

    backup: BackupRef
    image: ImageRef
    snapshot: SourceRef
    volume: SourceRef


class VolumeWant(Identified, total=False):
    format: str
    origin: VolumeOrigin
    pool: PoolPlace
    qos: Qos
    shareable: bool
    size: int


def compare(want: Mapping[str, Any], have: Mapping[str, Any]) -> List[generic.Difference]:
    return generic.compare(_compared(want), _compared(have))


def _compared(fields: Mapping[str, Any]) -> dict[str, Any]:
    found = generic.without(fields, "origin")
    if isinstance(found.get("size"), int):
        found["size"] = -(-found["size"] // SECTOR) * SECTOR
    return found
