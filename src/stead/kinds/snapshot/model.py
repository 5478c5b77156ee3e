"""What a user may write of a snapshot."""

from __future__ import annotations

from typing import Annotated

from stead.core.address import Address
from stead.core.fields import Example, Ref, Text
from stead.core.value import value


@value
class Snapshot:
    volume: Annotated[
        Address, Ref("volumes"), "The volume; the snapshot is taken when it is first applied", Example("pgdata")
    ]
    freeze: Annotated[
        bool,
        "Ask the guest agent of the instance that uses the volume to freeze its file systems meanwhile. Some "
        "[drivers](abilities.md) can",
    ] = False
    description: Annotated[str, Text(lines=True), "For people"] = ""
