"""Which code makes what. A kind is two functions: `ensure` for what should be, `remove` for what should not."""

from __future__ import annotations

from . import image, instance, network, project, security

KINDS = {
    "images": image,
    "instances": instance,
    "networks": network,
    "projects": project,
    "security_groups": security,
}
