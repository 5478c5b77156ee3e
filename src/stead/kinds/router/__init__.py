"""Joins networks with each other and with an external one."""

from stead.kind import Kind, Scope
from stead.kinds.recording import recorded_only
from stead.kinds.router.model import Router

KIND = Kind(
    name="router",
    plural="routers",
    scope=Scope.PROJECT,
    model=Router,
    help="Joins networks with each other and with an external one.",
    realise=recorded_only,
    counted=True,
)
