"""Extra specs of flavors: which of Nova's have a counterpart here, and which ask for what is not there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.serve.faults import bad, not_built

_TOPOLOGY = {"hw:cpu_sockets": "sockets", "hw:cpu_cores": "cores", "hw:cpu_threads": "threads"}
_LIMITS = {"quota:disk_total_iops_sec": "iops", "quota:disk_total_bytes_sec": "throughput"}
_AS_IT_IS = {("hw:cpu_policy", "shared"), ("hw:mem_page_size", "small"), ("hw:mem_page_size", "any")}
# What begins so means something to Nova. All else is a note for people.
_MEANT = (
    *("accel:", "aggregate_instance_extra_specs:", "capabilities:", "group_policy", "hide_hypervisor_id", "hw:", "hw_"),
    *("os:", "pci_passthrough:", "powervm:", "quota:", "resources", "trait", "vmware:"),
)


def fields(specs: Mapping[str, str]) -> dict[str, Any]:
    """Of a flavor of Stead's. What cannot be kept is refused, where a server is to have it."""
    found: dict[str, Any] = {}
    for name, text in specs.items():
        if name in _TOPOLOGY:
            found.setdefault("topology", {})[_TOPOLOGY[name]] = _number(name, text)
        elif name in _LIMITS:
            found[_LIMITS[name]] = _number(name, text)
        elif (name, text) not in _AS_IT_IS and name.startswith(_MEANT):
            raise not_built(f"The flavor asks for {name}={text}, which is not built. docs/api.md lists what is.")
    return found


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < len(text) <= 15):
        raise bad(f"The extra spec {name} of the flavor must be a whole number.")
    return int(text)
