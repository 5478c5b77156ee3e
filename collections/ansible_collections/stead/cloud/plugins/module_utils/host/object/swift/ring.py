"""Which devices keep a partition, and the file in which Swift's servers read it.

By rendezvous: each device has a number for each partition, made from both, and the highest keep it, in zones and on
hosts that are as different as they can be. So every host comes to the same ring without being told, and a device that
comes or goes moves one copy of a partition at most. Nothing has to be remembered of rings before.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import struct
import sys
from array import array
from typing import Any, Dict, Iterator, List, NamedTuple, Sequence, Set

MAGIC, VERSION = b"R1NG", 1
NO_TIME = 0  # in the file: the same ring is the same file


class Device(NamedTuple):
    zone: str
    host: str
    address: str
    name: str


def devices(hosts: Dict[str, Dict[str, str]], names: Sequence[str]) -> List[Device]:
    """In an order that is the same on all hosts."""
    return [
        Device(one["zone"], host, one["address"], name) for host, one in sorted(hosts.items()) for name in sorted(names)
    ]


def assign(some: Sequence[Device], part_power: int, replicas: int) -> List[List[int]]:
    """For each copy, the device of each partition, by its place in the list."""
    copies = min(replicas, len(some))
    rows: List[List[int]] = [[] for _row in range(copies)]
    keys = ["{0}\0{1}\0".format(one.host, one.name).encode() for one in some]
    for part in range(1 << part_power):
        number = str(part).encode()
        scores = [hashlib.blake2b(key + number, digest_size=8).digest() for key in keys]
        order = sorted(range(len(some)), key=scores.__getitem__, reverse=True)
        for row, chosen in zip(rows, _apart(order, some)):
            row.append(chosen)
    return rows


def _apart(order: Sequence[int], some: Sequence[Device]) -> Iterator[int]:
    """The first in a zone that has none yet; when all zones have one, on a host that has none; then any other."""
    zones: Set[str] = set()
    hosts: Set[str] = set()
    rest = list(order)
    while rest:
        chosen = next(
            (at for at in rest if some[at].zone not in zones),
            next((at for at in rest if some[at].host not in hosts), rest[0]),
        )
        rest.remove(chosen)
        zones.add(some[chosen].zone)
        hosts.add(some[chosen].host)
        yield chosen


def mark(some: Sequence[Device], part_power: int, replicas: int, port: int) -> str:
    """What the ring is made from, in few letters: it says whether a file is of this ring."""
    told = json.dumps([some, part_power, replicas, port])
    return hashlib.blake2b(told.encode(), digest_size=16).hexdigest()


def file_of(some: Sequence[Device], rows: Sequence[Sequence[int]], part_power: int, port: int, marked: str) -> bytes:
    """Version 1 of Swift's form: a header in JSON, then two bytes for each partition and copy."""
    zones = sorted({one.zone for one in some})
    header = {
        "byteorder": sys.byteorder,
        "devs": [dict(_device(at, one, port, zones), meta=marked) for at, one in enumerate(some)],
        "part_shift": 32 - part_power,
        "replica_count": len(rows),
        "version": 1,
    }
    text = json.dumps(header, sort_keys=True).encode("ascii")
    kept = io.BytesIO()
    with gzip.GzipFile(fileobj=kept, mode="wb", mtime=NO_TIME, filename="") as file:
        file.write(struct.pack("!4sH", MAGIC, VERSION) + struct.pack("!I", len(text)) + text)
        for row in rows:
            file.write(array("H", row).tobytes())
    return kept.getvalue()


def _device(at: int, one: Device, port: int, zones: Sequence[str]) -> Dict[str, Any]:
    return {
        "id": at,
        "region": 1,
        "zone": zones.index(one.zone) + 1,
        "ip": one.address,
        "port": port,
        "replication_ip": one.address,
        "replication_port": port,
        "device": one.name,
        "weight": 1.0,
    }


def mark_of(data: bytes) -> str:
    """Of a file; empty where it is none of this form."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            magic, version, length = struct.unpack("!4sHI", file.read(10))
            header = json.loads(file.read(length)) if (magic, version) == (MAGIC, VERSION) else {}
    except (OSError, EOFError, ValueError, struct.error):
        return ""
    found = header.get("devs") or [{}]
    return str((found[0] or {}).get("meta", ""))
