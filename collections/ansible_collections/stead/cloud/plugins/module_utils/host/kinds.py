"""Which code makes what. A kind is two functions: `ensure` for what should be, `remove` for what should not."""

from __future__ import annotations

from . import floating_ip, image, instance, network, project, router, security, snapshot, volume

KINDS = {
    "floating_ips": floating_ip,
    "images": image,
    "instances": instance,
    "networks": network,
    "projects": project,
    "routers": router,
    "security_groups": security,
    "snapshots": snapshot,
    "volumes": volume,
}
