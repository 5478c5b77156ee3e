"""A disk that outlives the instances that use it."""

from stead.core.effect import IN_PLACE, MOVED, NAMED
from stead.core.kind import Kind, QuotaWord, Scope
from stead.core.metered import MeterWord
from stead.kinds.shared.counted import STORAGE
from stead.kinds.shared.storage import pool_effects
from stead.kinds.volume.model import Volume
from stead.kinds.volume.moving import stays
from stead.kinds.volume.realise import (
    contribute,
    demand,
    extent,
    facts,
    grow_only,
    host_needs,
    metered,
    realise,
    reverted,
    saved,
    usage,
)
from stead.kinds.volume.rules import check, fits
from stead.kinds.volume.unmanaged import retained

KIND = Kind(
    name="volume",
    plural="volumes",
    scope=Scope.PROJECT,
    model=Volume,
    help="A disk that outlives the instances that use it.",
    highlights=("size", "pool.name"),
    drawn=True,
    extent=extent,
    host_needs=host_needs,
    counted=True,
    single=True,
    adopts=lambda block: str(block.model.file),
    check=check,
    fits=fits,
    stateful=True,
    irreplaceable=True,
    passes=True,
    carried=True,
    stays=stays,
    demand=demand,
    retained=retained,
    quota={"volumes": QuotaWord("Volumes"), "storage": STORAGE},
    saved=saved,
    usage=usage,
    meters={"volumes": MeterWord("Volumes, by pool", size=True)},
    metered=metered,
    contribute=contribute,
    realise=realise,
    reverted=reverted,
    facts=facts,
    seen={
        "name": "its name; of a member with the index or key: `web-0`",
        "uuid": "its UUID",
        "size": "its size in bytes",
        "pool": "its pool",
        "host": "host that it is on",
        "users": "addresses of instances that use it",
        "device": "its device in a guest",
    },
    effects={
        **NAMED,
        "format": MOVED,
        "origin": IN_PLACE,
        "pool": IN_PLACE,
        **pool_effects("pool", IN_PLACE, another=MOVED),
        "qos": IN_PLACE,
        "shareable": IN_PLACE,
        "size": IN_PLACE,
    },
    grow_only=grow_only,
    field_map={"origin": "from"},
    words={
        "origin": "source",
        "origin.backup": "backup",
        "origin.image": "image",
        "origin.snapshot": "snapshot",
        "origin.volume": "source volume",
    },
)
