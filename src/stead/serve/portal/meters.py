"""Which quotas people see, by which names."""

from __future__ import annotations

# What of which service's quota, by the name that people read, and the unit behind its number.
METERS = (
    ("compute", "instances", "Instances", ""),
    ("compute", "cores", "vCPUs", ""),
    ("compute", "ram", "Memory", "MiB"),
    ("volume", "volumes", "Volumes", ""),
    ("volume", "gigabytes", "Storage", "GiB"),
    ("network", "floatingip", "Floating IPs", ""),
    ("network", "network", "Networks", ""),
    ("network", "router", "Routers", ""),
)
NAMED = {word: (name, unit) for _, word, name, unit in METERS}
