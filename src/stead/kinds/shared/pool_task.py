"""How a task of a playbook names a pool: in the words of the inventory, because no plan has described it."""

from __future__ import annotations

from typing import Annotated

from stead.core.fields import Path
from stead.core.value import value
from stead.drivers.storage import DEFAULT_STORAGE, all_of_them

TYPES = tuple(all_of_them())


@value
class PoolWords:
    pool: Annotated[str, "Name of the pool"] = "default"
    type: Annotated[
        str,
        "What the pool is. Files of V(nfs) and V(iscsi) are served to other hosts, which needs a host that the role "
        "P(stead.cloud.storage#role) has prepared. V(lvm) and V(lvm-thin) have been tested by their commands only",
    ] = DEFAULT_STORAGE
    path: Annotated[
        str | None,
        Path(),
        "Directory of the pool. Left out, it is the directory of the pool's name under C(/var/lib/stead/pools). "
        "For V(lvm) it is the volume group. For V(lvm-thin) it is the volume group and the thin pool, as C(vg0/thin)",
    ] = None
    server: Annotated[
        str | None, "Address of this host at which others reach the pool, for pools of type V(nfs) or V(iscsi)"
    ] = None
