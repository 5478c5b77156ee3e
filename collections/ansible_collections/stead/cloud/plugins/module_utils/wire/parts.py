# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Forms that several kinds use in their wants. Any key may be missing, because other versions wrote wants too."""

from __future__ import annotations

from typing import TypedDict

DEFAULT_STORAGE = "dir"  # the driver of a pool that does not say its type


class Identified(TypedDict, total=False):
    name: str
    uuid: str


class PoolPlace(TypedDict, total=False):
    """How a host reaches a pool: by a path of its own, or at the host that serves it."""

    name: str
    type: str
    path: str
    file: str  # of a volume that was there before: its name in the path
    host: str  # the host that serves it, and its address between hosts
    server: str


class ImageRef(TypedDict, total=False):
    address: str
    content: str  # its identity: its digest, or its source if there is no digest
    rootfs: bool  # a root file system, for containers
    uuid: str


class Qos(TypedDict, total=False):
    """Limits of a volume."""

    iops: int
    read_iops: int
    write_iops: int
    throughput: int
    read_throughput: int
    write_throughput: int


class Route(TypedDict):
    to: str
    via: str
