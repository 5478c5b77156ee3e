"""A tenant: its own names, networks and quota. Every other resource of a team is written inside one."""

from stead.kind import Kind, Scope
from stead.kinds.project.model import Project
from stead.kinds.recording import recorded_only

KIND = Kind(
    name="project",
    plural="projects",
    scope=Scope.SITE,
    model=Project,
    help="A tenant: its own names, networks and quota. Every other resource of a team is written inside one.",
    realise=recorded_only,
)
