"""Rules that say what may come in and go out of interfaces."""

from stead.core.effect import IN_PLACE, NAMED
from stead.core.kind import Kind, QuotaWord, Scope
from stead.kinds.security_group.model import SecurityGroup
from stead.kinds.security_group.realise import facts, realise, usage
from stead.kinds.security_group.rules import check

KIND = Kind(
    name="security_group",
    plural="security_groups",
    scope=Scope.PROJECT,
    wiring="stead.kinds.security_group.wiring",
    model=SecurityGroup,
    help="Rules that say what may come in and go out of interfaces.",
    highlights=("rules#",),
    counted=True,
    check=check,
    quota={
        "security_groups": QuotaWord("Security groups"),
        "security_group_rules": QuotaWord("Rules of all security groups"),
    },
    usage=usage,
    realise=realise,
    facts=facts,
    seen={
        "name": "its name; of a member with the index or key: `web-0`",
        "uuid": "its UUID",
        "addresses": "addresses of its members",
    },
    # Rules are swapped in one go, and connections that both sets allow live on.
    effects={**NAMED, "drivers": IN_PLACE, "rules": IN_PLACE, "sets": IN_PLACE, "stateful": IN_PLACE},
    parts=("filter",),
    field_map={"rules": "ingress", "sets": "ingress"},
    words={
        "rules": "rules",
        "rules.*": "rule {}",
        "sets": "members of groups",
        "sets.*": "members of {}",
    },
)
