"""What a user may write of a volume."""

from __future__ import annotations

from typing import Annotated, Literal

from stead.core.address import Address
from stead.core.fields import (
    INVENTORY,
    Example,
    Granted,
    Ref,
    Size,
    Text,
    Whole,
)
from stead.core.value import value


@value
class VolumeSource:
    """What a volume is made from. Exactly one of them."""

    image: Annotated[Address | None, Ref("images"), "An image: the volume can be booted from", Example("debian-12")] = (
        None
    )
    backup: Annotated[
        str,
        Text(pattern=r"[a-z_]+/[^@]+@[0-9a-f]{8,64}", what="a backup such as volumes/pgdata@4f2a91c3", longest=255),
        "A backup of this project, as `stead backup list` shows it without the project. It needs `size`",
        Example("volumes/pgdata@4f2a91c3"),
    ] = ""
    snapshot: Annotated[Address | None, Ref("snapshots"), "A snapshot", Example("pgdata-monday")] = None
    volume: Annotated[Address | None, Ref("volumes"), "Another volume, as it is at that moment", Example("pgdata")] = (
        None
    )


@value
class QosLimits:
    """Limits of a volume, kept by the host of the instance that uses it. What is left out has none."""

    iops: Annotated[int | None, Whole(least=1), "Operations a second", Example(2000)] = None
    read_iops: Annotated[int | None, Whole(least=1), "Reads a second"] = None
    write_iops: Annotated[int | None, Whole(least=1), "Writes a second"] = None
    throughput: Annotated[int | None, Size(), "Bytes a second, written as a size", Example("200MiB")] = None
    read_throughput: Annotated[int | None, Size(), "Bytes read a second, written as a size"] = None
    write_throughput: Annotated[int | None, Size(), "Bytes written a second, written as a size"] = None


@value
class Volume:
    size: Annotated[
        int | None, Size(), "Size; left out, that of the volume or snapshot it is made from", Example("50GiB")
    ] = None
    pool: Annotated[
        str, INVENTORY, Granted("pools"), "Storage pool it lies in, as the inventory names it", Example("fast")
    ] = "default"
    from_: Annotated[
        VolumeSource | None,
        "What it is made from, when it is made; left out, it is blank",
        Example({"image": "debian-12"}),
    ] = None
    format: Annotated[
        Literal["qcow2", "raw"] | None,
        "Format; left out, what suits the pool. [Drivers](abilities.md) have one of them, or both",
    ] = None
    file: Annotated[
        str,
        Text(pattern=r"[A-Za-z0-9_][A-Za-z0-9._+-]*", what="the name of a file", longest=200),
        Granted("adopt"),
        "Name of an existing file in the pool, on `host`, that it is: it is taken over where it is, and not made",
        Example("web.qcow2"),
    ] = ""
    qos: Annotated[QosLimits | None, "Limits", Example({"iops": 2000})] = None
    shareable: Annotated[bool, "Several instances may use it at once; what is on it must cope with that"] = False
    zone: Annotated[str, INVENTORY, "Zone of its host, in a pool that several hosts have each for themselves"] = ""
    host: Annotated[
        str, INVENTORY, Granted("hosts"), "The host it lies on; left out, it is chosen", Example("storage-1")
    ] = ""
    description: Annotated[str, Text(lines=True), "For people"] = ""
