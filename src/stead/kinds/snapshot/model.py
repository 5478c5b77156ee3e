"""What a user may write of a snapshot."""

from __future__ import annotations

from typing import Annotated

from stead.core.address import Address
from stead.core.fields import Example, Ref, Text
from stead.core.value import value

NOTHING = Address("", "volumes", "")  # of a snapshot that says of nothing that it is of it, which is told


@value
class Snapshot:
    volume: Annotated[
        Address | None,
        Ref("volumes"),
        "The volume; the snapshot is taken when it is first applied",
        Example("pgdata"),
    ] = None
    instance: Annotated[
        Address | None,
        Ref("instances"),
        "The instance, in the place of a volume: all disks that its host keeps in files, at one moment. Its memory is "
        "no part of it",
        Example("web[0]"),
    ] = None
    freeze: Annotated[
        bool,
        "Ask the guest agent of the instance that uses the volume to freeze its file systems meanwhile. Some "
        "[drivers](abilities.md) can. Of an instance: an agent that answers is asked in any case, and this fails "
        "without one",
    ] = False
    description: Annotated[str, Text(lines=True), "For people"] = ""


def source_of(model: Snapshot) -> Address:
    return model.instance or model.volume or NOTHING
