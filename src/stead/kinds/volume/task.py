"""What tasks of a playbook say of volumes and pools."""

from __future__ import annotations

from typing import Annotated, Literal

from ansible_collections.stead.cloud.plugins.module_utils.wire.volume import VolumeWant
from stead.core.task import DONE, Returned, TaskForm, kept
from stead.core.value import value
from stead.kinds.shared.pool_task import TYPES, PoolWords
from stead.kinds.volume.model import Volume


@value
class VolumeWords:
    name: Annotated[str, "Name of the volume"]
    project: Annotated[str, "Project that it belongs to"]
    image: Annotated[
        str | None, "Name of the image that it is made from, kept on this host by M(stead.cloud.image)"
    ] = None
    state: Annotated[
        Literal["present", "absent"], "Whether it exists. With V(absent) everything that is on it is lost"
    ] = "present"


@value
class PoolState:
    state: Annotated[
        Literal["present", "absent"],
        "Whether it exists. With V(absent) an empty directory is removed. A directory with something in it is refused",
    ] = "present"


VOLUME = TaskForm(
    own=(VolumeWords, PoolWords),
    models=(Volume,),
    want=VolumeWant,
    texts={
        "size": "Size, as C(50GiB). Required unless O(state=absent).",
        "format": "Format. Left out, it is what the type of the pool can have: V(qcow2) where both are possible.",
        "qos": "Limits, kept by the host of the instance that uses it.",
    },
    without={"shareable": "a plan chooses a format that several instances can use at once"},
    choices={"type": TYPES},
    returned=kept("the volume. Guests see its first 20 characters as the serial number of the disk"),
)
POOL = TaskForm(
    own=(PoolWords, PoolState),
    texts={
        "path": "Directory of the pool. Left out, it is the directory of the pool's name under "
        "C(/var/lib/stead/pools). For V(lvm) it is the volume group. For V(lvm-thin) it is the volume group and the "
        "thin pool, as C(vg0/thin). You make these yourself, and they are never removed.",
        "type": "Type, as in the inventory. V(lvm) and V(lvm-thin) have been tested by their commands only.",
    },
    choices={"type": TYPES},
    aliases={"pool": ("name",)},
    returned=(
        Returned("before", "dict", "The pool as it was before. Empty when there was none."),
        Returned("after", "dict", "The pool as it is now, or would be in check mode."),
        Returned("size", "int", "Size of the pool in bytes."),
        Returned("free", "int", "Free bytes in the pool."),
        Returned("users", "list of str", "Addresses of the resources of Stead that lie in the pool."),
        DONE,
    ),
)
TASKS = {"volume": VOLUME, "pool": POOL}
