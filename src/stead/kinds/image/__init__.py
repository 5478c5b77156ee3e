"""A disk image that root disks and volumes are made from, fetched once and checked."""

from stead.kind import Kind, Scope
from stead.kinds.image.model import Image
from stead.kinds.recording import recorded_only

KIND = Kind(
    name="image",
    plural="images",
    scope=Scope.EITHER,
    model=Image,
    help="A disk image that root disks and volumes are made from, fetched once and checked.",
    realise=recorded_only,
)
