"""What a user may write of a project, beside the resources in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from stead.core.fields import (
    INVENTORY,
    Example,
    Limits,
    Text,
)
from stead.core.value import field, value
from stead.language.desired.identity import ROLE


@value
class Person:
    """A user with a role in the project: of `users`, or of those whom the API's own store has."""

    SHORT: ClassVar[str] = "name"

    name: Annotated[str, INVENTORY, "Name that the user logs in with", Example("ada@example.org")]
    role: Annotated[str, ROLE, "manager, member, reader, or a role of `site.identity.roles`", Example("reader")] = (
        "member"
    )


@value
class Project:
    quota: Annotated[
        Mapping[str, int], Limits(), "The most that the project may have", Example({"instances": 20, "vcpus": 64})
    ] = field(default_factory=dict)
    members: Annotated[
        tuple[Person, ...],
        "Who may do what in the project, in the API, the portal and CI",
        Example(["ada@example.org"]),
    ] = ()
    domain: Annotated[
        str | None,
        Text(pattern=r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", what="a DNS domain", longest=200),
        "DNS domain of the project's instances; left out, it is the project's name under the site's domain",
        Example("acme.example.org"),
    ] = None
    policy: Annotated[
        Literal["balance", "pack", "spread", "nova"] | None, "How the project's instances choose among hosts that fit"
    ] = None
    description: Annotated[str, Text(lines=True), "For people"] = ""
