"""Which code makes what. A kind is four functions; all get a step, that of the ledger where there is no plan.

ensure(step, work)    makes what should be, of whatever is there
remove(step, work)    takes away what should not be
seen(step, look)      what a host has otherwise than the want says: nothing (None) where it is gone. Where it can be, it
                      is what `ensure` would do, so that what is written and what is compared cannot differ
restore(step, work)   what a boot forgets
"""

from __future__ import annotations

from . import floating_ip, image, instance, network, project, router, security_group, snapshot, volume

KINDS = {
    "floating_ips": floating_ip,
    "images": image,
    "instances": instance,
    "networks": network,
    "projects": project,
    "routers": router,
    "security_groups": security_group,
    "snapshots": snapshot,
    "volumes": volume,
}
