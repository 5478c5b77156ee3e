"""Words of a project's quota that several kinds count."""

from stead.core.kind import QuotaWord

STORAGE = QuotaWord("Root disks and volumes together", size=True, example="2TiB")
PORTS = QuotaWord("Ports, and interfaces of instances and routers without one")
