"""A volume, or the disks of an instance, as they were at one moment."""

from stead.core.effect import IN_PLACE, NAMED, REPLACED
from stead.core.kind import Kind, QuotaWord, Scope
from stead.core.metered import MeterWord
from stead.kinds.shared.storage import pool_effects
from stead.kinds.snapshot.model import Snapshot
from stead.kinds.snapshot.realise import extent, facts, host_needs, metered, realise
from stead.kinds.snapshot.rules import check, fits
from stead.kinds.snapshot.unmanaged import retained

KIND = Kind(
    name="snapshot",
    plural="snapshots",
    scope=Scope.PROJECT,
    model=Snapshot,
    help="A volume, or the disks of an instance, as they were at one moment.",
    highlights=("volume.address", "instance.address"),
    extent=extent,
    host_needs=host_needs,
    counted=True,
    single=True,
    stateful=True,
    irreplaceable=True,
    retained=retained,
    check=check,
    fits=fits,
    quota={"snapshots": QuotaWord("Snapshots")},
    meters={"snapshots": MeterWord("Snapshots, by pool")},
    metered=metered,
    realise=realise,
    facts=facts,
    seen={
        "name": "its name; of a member with the index or key: `web-0`",
        "uuid": "its UUID",
        "volume": "address of its volume",
        "instance": "address of its instance",
        "host": "host that it is on",
    },
    effects={
        **NAMED,
        "freeze": IN_PLACE,
        "instance": REPLACED,
        "volume": REPLACED,
        "pool": IN_PLACE,
        **pool_effects("pool", IN_PLACE, another=REPLACED),
        "format": REPLACED,
    },
)
