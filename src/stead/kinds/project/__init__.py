"""A tenant: its own names, networks and quota. Every other resource of a team is written inside one."""

from stead.core.effect import IN_PLACE
from stead.core.kind import Kind, Scope
from stead.kinds.project.model import Project
from stead.kinds.project.realise import facts, lets, realise
from stead.kinds.project.rules import check
from stead.kinds.shared.record_only import effects_of

KIND = Kind(
    name="project",
    plural="projects",
    scope=Scope.SITE,
    wiring="stead.kinds.project.wiring",
    model=Project,
    help="A tenant: its own names, networks and quota. Every other resource of a team is written inside one.",
    highlights=("quota",),
    check=check,
    realise=realise,
    lets=lets,
    facts=facts,
    seen={
        "name": "its name",
        "uuid": "its UUID",
        "domain": "its DNS domain",
        "members": "its members: `name` and `role`",
    },
    effects={**effects_of(Project), "default_group": IN_PLACE},
    field_map={"default_group": ""},
    words={
        "members.*": "member {}",
    },
)
