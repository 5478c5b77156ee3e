"""A virtual machine."""

from stead.kind import Kind, Scope
from stead.kinds.instance.model import Instance
from stead.kinds.recording import recorded_only

KIND = Kind(
    name="instance",
    plural="instances",
    scope=Scope.PROJECT,
    model=Instance,
    help="A virtual machine.",
    realise=recorded_only,
    counted=True,
    stateful=True,
    mobile=True,
)
