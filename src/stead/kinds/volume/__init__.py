"""A disk that outlives the instances that use it."""

from stead.kind import Kind, Scope
from stead.kinds.recording import recorded_only
from stead.kinds.volume.model import Volume

KIND = Kind(
    name="volume",
    plural="volumes",
    scope=Scope.PROJECT,
    model=Volume,
    help="A disk that outlives the instances that use it.",
    realise=recorded_only,
    counted=True,
    stateful=True,
)
