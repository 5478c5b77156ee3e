"""Rules that say what may come in and go out of interfaces."""

from stead.kind import Kind, Scope
from stead.kinds.recording import recorded_only
from stead.kinds.security_group.model import SecurityGroup

KIND = Kind(
    name="security_group",
    plural="security_groups",
    scope=Scope.PROJECT,
    model=SecurityGroup,
    help="Rules that say what may come in and go out of interfaces.",
    realise=recorded_only,
    counted=True,
)
