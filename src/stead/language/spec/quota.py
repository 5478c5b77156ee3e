"""What a project may have at most: said of a project, or in the site's section of all that do not say it themselves."""

from __future__ import annotations

from typing import Annotated

from stead.core.fields import Example, Size, Whole
from stead.core.value import value


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
