"""The kinds that hosts make, in the order in which a boot brings them back: one may need those before it.

Ansible packs what it sees imported: built-in kinds are listed here, and a site's own in its collection `stead.site`, in
`module_utils/kinds.py`, whose `KINDS` are by plural as well.
"""

from __future__ import annotations

from typing import Dict

from ..base.kind import HostKind
from . import (
    bucket,
    floating_ip,
    image,
    instance,
    load_balancer,
    network,
    object_store,
    project,
    router,
    security_group,
    snapshot,
    volume,
)

try:
    from ansible_collections.stead.site.plugins.module_utils.kinds import KINDS as SITE  # type: ignore[import-not-found,import-untyped,unused-ignore]
except ImportError:
    SITE = {}

BUILT_IN: Dict[str, HostKind] = {
    "projects": project.KIND,
    "networks": network.KIND,
    "security_groups": security_group.KIND,
    "routers": router.KIND,
    "load_balancers": load_balancer.KIND,
    "floating_ips": floating_ip.KIND,
    "instances": instance.KIND,
    "volumes": volume.KIND,
    "snapshots": snapshot.KIND,
    "images": image.KIND,
    "object_stores": object_store.KIND,
    "buckets": bucket.KIND,
}
KINDS: Dict[str, HostKind] = {**BUILT_IN, **SITE}
