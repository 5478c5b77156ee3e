"""The kinds that hosts make, in the order in which a boot brings them back: one may need those before it.

The list is static, so that Ansible sees the imports and sends them along.
"""

from __future__ import annotations

from typing import Dict

from ..base.kind import HostKind
from . import floating_ip, image, instance, network, project, router, security_group, snapshot, volume

KINDS: Dict[str, HostKind] = {
    "projects": project.KIND,
    "networks": network.KIND,
    "security_groups": security_group.KIND,
    "routers": router.KIND,
    "floating_ips": floating_ip.KIND,
    "instances": instance.KIND,
    "volumes": volume.KIND,
    "snapshots": snapshot.KIND,
    "images": image.KIND,
}
