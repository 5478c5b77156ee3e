"""Which disks of an instance a snapshot of it can have: those whose moment the hypervisor of its host can hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stead.core.address import Address
from stead.core.observed import Host
from stead.drivers.storage import FREEZE, why_nowhere
from stead.kinds.shared.sizing import flavor_of, root_pool
from stead.language.desired import Desired


def main_pool(instance: Any, desired: Desired) -> str:
    """Of what it boots from."""
    if instance.boot_volume is not None:
        block = desired.get(instance.boot_volume)
        return str(block.model.pool) if block is not None else ""
    flavor = flavor_of(instance, desired)
    return root_pool(instance, flavor) if flavor is not None else ""


def left_out(instance: Any, desired: Desired, hosts: Mapping[str, Host]) -> Iterator[tuple[Address, str]]:
    """(volume that it uses, why it is no part of the snapshot)"""
    for one in instance.volumes:
        block = desired.get(one.volume)
        if block is None:
            continue
        if block.model.shareable:
            yield one.volume, "It is shareable, so others may write to it at that moment."
        elif why := unheld(block.model.pool, hosts):
            yield one.volume, why


def unheld(pool: str, hosts: Mapping[str, Host]) -> str:
    """Why the hypervisor of a host cannot copy disks in this pool at its moment."""
    if not why_nowhere(FREEZE, pool, hosts):
        return ""
    return f"The disks of pool {pool} are no files that the host of the instance keeps."
