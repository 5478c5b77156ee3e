"""What a user may write of a project, beside the resources in it."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from stead.core.fields import (
    INVENTORY,
    Example,
    Size,
    Text,
    Whole,
)
from stead.core.value import field, value


@value
class Quota:
    """The most that a project may have. What is left out has no limit."""

    instances: Annotated[int | None, Whole(least=0), "Instances", Example(20)] = None
    vcpus: Annotated[int | None, Whole(least=0), "Virtual CPUs of all instances", Example(64)] = None
    memory: Annotated[int | None, Size(least=0), "Memory of all instances", Example("128GiB")] = None
    storage: Annotated[int | None, Size(least=0), "Root disks and volumes together", Example("2TiB")] = None
    volumes: Annotated[int | None, Whole(least=0), "Volumes"] = None
    snapshots: Annotated[int | None, Whole(least=0), "Snapshots"] = None
    images: Annotated[int | None, Whole(least=0), "Images of the project's own"] = None
    networks: Annotated[int | None, Whole(least=0), "Networks"] = None
    subnets: Annotated[int | None, Whole(least=0), "Subnets of all networks"] = None
    ports: Annotated[int | None, Whole(least=0), "Interfaces of instances and routers"] = None
    routers: Annotated[int | None, Whole(least=0), "Routers"] = None
    floating_ips: Annotated[int | None, Whole(least=0), "Floating IPs", Example(4)] = None
    security_groups: Annotated[int | None, Whole(least=0), "Security groups"] = None
    security_group_rules: Annotated[int | None, Whole(least=0), "Rules of all security groups"] = None
    keypairs: Annotated[int | None, Whole(least=0), "Key pairs"] = None


@value
class Person:
    """Someone who works in the project. Stead records it and lets outputs and inventories use it."""

    SHORT: ClassVar[str] = "name"

    name: Annotated[str, INVENTORY, "Login name or e-mail address", Example("ada@example.org")]
    role: Annotated[Literal["admin", "member", "reader"], "What they may do"] = "member"


@value
class Project:
    quota: Annotated[Quota, "The most that the project may have", Example({"instances": 20, "vcpus": 64})] = field(
        default_factory=Quota
    )
    members: Annotated[tuple[Person, ...], "The people of the project", Example(["ada@example.org"])] = ()
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
