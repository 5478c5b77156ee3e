"""An external address that leads to an instance."""

from stead.kind import Kind, Scope
from stead.kinds.floating_ip.model import FloatingIp
from stead.kinds.recording import recorded_only

KIND = Kind(
    name="floating_ip",
    plural="floating_ips",
    scope=Scope.PROJECT,
    model=FloatingIp,
    help="An external address that leads to an instance.",
    realise=recorded_only,
    counted=True,
)
