"""A size of instances: virtual CPUs, memory and root disk."""

from stead.kind import Kind, Scope
from stead.kinds.flavor.model import Flavor
from stead.kinds.recording import recorded_only

KIND = Kind(
    name="flavor",
    plural="flavors",
    scope=Scope.EITHER,
    model=Flavor,
    help="A size of instances: virtual CPUs, memory and root disk.",
    realise=recorded_only,
)
