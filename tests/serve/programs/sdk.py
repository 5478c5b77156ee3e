"""A program over openstacksdk, as people write it: makes what is missing, or with `absent` removes what is there.

Prints how many things it changed.
"""

import os
import sys
from collections.abc import Callable
from typing import Any

import openstack  # type: ignore[import-not-found]

NAME, IMAGE = "sdk", os.environ.get("IMAGE", "tiny")
cloud = openstack.connect()
changed = 0


def ensured(found: Any, make: Callable[[], Any]) -> Any:
    global changed  # noqa: PLW0603 - a script
    if found is None:
        changed += 1
        return make()
    return found


def removed(found: Any, remove: Callable[[Any], object]) -> None:
    global changed  # noqa: PLW0603 - a script
    if found is not None:
        changed += 1
        remove(found)


def present() -> None:
    network = ensured(cloud.network.find_network(NAME), lambda: cloud.network.create_network(name=NAME))
    subnet = {"name": NAME, "network_id": network.id, "ip_version": 4, "cidr": "10.40.0.0/24"}
    ensured(cloud.network.find_subnet(NAME), lambda: cloud.network.create_subnet(**subnet))
    server = ensured(
        cloud.compute.find_server(NAME),
        lambda: cloud.create_server(NAME, image=IMAGE, flavor="small", network=NAME, wait=True, auto_ip=False),
    )
    volume = ensured(cloud.block_storage.find_volume(NAME), lambda: cloud.create_volume(1, name=NAME, wait=True))
    attached = {one.volume_id for one in cloud.compute.volume_attachments(server.id)}
    ensured(volume.id if volume.id in attached else None, lambda: cloud.attach_volume(server, volume, wait=True))


def absent() -> None:
    removed(cloud.compute.find_server(NAME), lambda one: cloud.delete_server(one.id, wait=True))
    removed(cloud.block_storage.find_volume(NAME), lambda one: cloud.delete_volume(one.id, wait=True))
    removed(cloud.network.find_network(NAME), cloud.network.delete_network)


absent() if sys.argv[1:] == ["absent"] else present()
print(changed)  # what the test reads
