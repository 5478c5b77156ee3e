"""What a project of the API begins with: for requests and for the command that makes the first one."""

from __future__ import annotations

from typing import Any

from stead.core.address import NAME, Address
from stead.serve.cloud import Cloud, Means
from stead.serve.edits import Who, slug
from stead.serve.network.groups import first_groups
from stead.serve.world import CloudState, bare


def key_for(name: str, world: CloudState) -> str:
    """One that nothing has or had: what is recorded of a project that is gone, or was shared with it, is not the new
    one's. Its id follows from the key.
    """
    known = (*world.desired.by_address, *world.recorded.resources)
    taken = {*(one.project or one.name for one in known), *world.recorded.documented}
    wanted = slug(name)[:40].strip("-") or "project"
    key, number = wanted, 2
    while key in taken or not NAME.fullmatch(key):
        key, number = f"{wanted}-{number}", number + 1
    return key


def begun(cloud: Cloud, who: Who, name: str, **said: Any) -> tuple[CloudState, Address]:
    key = key_for(name, cloud.world())
    own = {"display_name": name, **{word: one for word, one in said.items() if one}}
    world = cloud.begin(key, who, {"project": own, **first_groups()})
    return world, Address("", "projects", key)


def project_named(name: str, means: Means) -> str:
    cloud = Cloud(means)
    world = cloud.world()
    for thing in world.things("projects"):
        if name in (thing.name, thing.address.name):
            return bare(thing.id)
    cloud.look()
    world, address = begun(cloud, Who("stead user", ""), name)
    return bare(world.id_of(address))
