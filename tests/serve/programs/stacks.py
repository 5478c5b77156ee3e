"""Makes, changes and deletes a stack with openstacksdk, and prints what became of it."""

import sys

import openstack  # type: ignore[import-not-found]

cloud = openstack.connect()
template = sys.argv[1]
made = cloud.create_stack("sdk", template_file=template, wait=True, timeout=60, number=2)
changed = cloud.update_stack("sdk", template_file=template, wait=True, timeout=60, number=1)
servers = len(cloud.list_servers())
deleted = cloud.delete_stack("sdk", wait=True)
print(made.status, changed.status, servers, deleted, cloud.get_stack("sdk"))
