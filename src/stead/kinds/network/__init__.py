"""A network of its own between instances on any hosts, or one that exists already."""

from stead.kind import Kind, Scope
from stead.kinds.network.model import Network
from stead.kinds.recording import recorded_only

KIND = Kind(
    name="network",
    plural="networks",
    scope=Scope.EITHER,
    model=Network,
    help="A network of its own between instances on any hosts, or one that exists already.",
    realise=recorded_only,
    counted=True,
)
