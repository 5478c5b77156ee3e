"""A volume as it was at one moment."""

from stead.kind import Kind, Scope
from stead.kinds.recording import recorded_only
from stead.kinds.snapshot.model import Snapshot

KIND = Kind(
    name="snapshot",
    plural="snapshots",
    scope=Scope.PROJECT,
    model=Snapshot,
    help="A volume as it was at one moment.",
    realise=recorded_only,
    counted=True,
    stateful=True,
)
