"""The controller's half of driver swift: OpenStack Swift, as Debian has it, on storage hosts."""

from __future__ import annotations

from stead.core.driver import DriverScope, Proven, no, yes
from stead.drivers.object import ObjectDriver

_LAB = yes(Proven.LAB)

DRIVER = ObjectDriver(
    name="swift",
    help="OpenStack Swift: copies of each object on several hosts, with no host that the others depend on.",
    scope=DriverScope.CLUSTER,
    capabilities={
        "buckets": _LAB,
        "s3": yes(Proven.LAB, "signatures of version 2 and 4, path style"),
        "swift_api": yes(Proven.LAB, "tokens of version 1, at `/auth/v1.0`"),
        "quota": _LAB,
        "versioning": yes(Proven.LAB, "by S3 and by Swift's own interface"),
        "public": _LAB,
        "cors": yes(Proven.LAB, "for Swift's own interface"),
        "website": _LAB,
        "lifecycle": no("Swift has no lifecycle rules. Clients set `X-Delete-After` on their objects instead."),
    },
)
