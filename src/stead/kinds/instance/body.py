"""The part of an instance that its members share: hardware, disks, interfaces, and how it is run.

It depends on the host in little: where the pools are, and what hypervisor there is. Hosts alike share a body.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stead.core.address import Address
from stead.core.by_hand import SHELVED
from stead.core.kind import World
from stead.core.want import Body
from stead.drivers.hypervisor import cpu_of, preferred, root_format
from stead.drivers.storage import is_shared
from stead.kinds.instance import hypervisors, nics, pacing, waits
from stead.kinds.instance.demand import root_size
from stead.kinds.instance.model import Disk, Instance
from stead.kinds.shared import images, storage
from stead.kinds.shared.record_only import plain
from stead.kinds.shared.sizing import Flavor, flavor_of, root_pool
from stead.language.desired import Block

# `virt` is what every other architecture that QEMU knows calls its machine for guests of this kind.
_MACHINES = {"x86_64": "q35", "ppc64le": "pseries", "s390x": "s390-ccw-virtio"}
LETTERS = "bcdefghijklmnopqrstuv"  # of the others a is the root's, w the drive's, x and y the flavor's, z the seed's
PREFIXES = {"virtio": "vd", "scsi": "sd", "sata": "sd", "ide": "hd"}


class Bodies:
    """One for each sort of host."""

    def __init__(self, block: Block, world: World, seed: Mapping[str, Any]) -> None:
        self._model: Instance = block.model
        self._world = world
        self._flavor = flavor_of(self._model, world.desired) or Flavor(vcpus=1, memory=1)
        image = world.desired.get(self._model.image) if self._model.image is not None else None
        self._image = image.model if image is not None else None
        self._common = self._shared(block) | {"seed": seed}
        self._pool = root_pool(self._model, self._flavor)
        self._features = hypervisors.features(self._model, self._flavor, self._image)
        self._by_sort: dict[object, Body] = {}

    def on(self, host: str, state: str = "") -> Body:
        """In the state that the spec says, or another."""
        state = state or self._model.state
        sort = (self._sort(host), state)
        body = self._by_sort.get(sort)
        if body is None:
            given = {"state": "stopped", SHELVED: True} if state == SHELVED else {"state": state}
            body = self._by_sort[sort] = Body.of(self._common | self._varying(host) | given)
        return body

    def _sort(self, host: str) -> object:
        """All of a host that `_varying` looks at."""
        there = self._world.hosts.get(host)
        if there is None:
            return None
        pool = there.pools.get(self._pool)
        where = host if pool is not None and pool.shared else ""
        return (there.hypervisors, there.architecture, pool, where)

    def _shared(self, block: Block) -> dict[str, Any]:
        model, flavor, world = self._model, self._flavor, self._world
        image = self._image
        found: dict[str, Any] = {
            "agent": model.agent,
            "autostart": model.autostart,
            "boot": list(model.boot),
            "firmware": model.firmware or (image.firmware if image is not None else None) or "bios",
            "graphics": model.graphics,
            "max_memory": flavor.max_memory or flavor.memory,
            "max_vcpus": flavor.max_vcpus or flavor.vcpus,
            "memory": flavor.memory,
            "nics": nics.shared(block, world, image.nic_model if image is not None else "virtio", flavor.bandwidth),
            "stop_timeout": model.stop_timeout,
            "tpm": model.tpm,
            "vcpus": flavor.vcpus,
            "volumes": dict(self._volumes()),
            "watchdog": model.watchdog,
        }
        for name, address in (("image", model.image), ("cdrom", model.cdrom)):
            if address is not None:
                found[name] = images.reference(address, world)
        optional = {
            "devices": plain(flavor.devices),
            "hugepages": flavor.hugepages,
            "labels": plain(block.settings.labels),
            "migration": pacing.policy(model),
            "os": image.os if image is not None else None,
            "properties": plain(model.properties),
            "wait": waits.described(block, world),
            "topology": plain(flavor.topology) if flavor.topology is not None else None,
        }
        return found | {name: value for name, value in optional.items() if value}

    def _varying(self, host: str) -> dict[str, Any]:
        model, image = self._model, self._image
        there = self._world.hosts.get(host)
        able = there.hypervisors if there is not None else ()
        hypervisor = model.hypervisor or preferred(able, self._features)
        architecture = model.architecture or (image.architecture if image is not None else None)
        architecture = architecture or (there.architecture if there is not None else "x86_64")
        machine = model.machine or (image.machine if image is not None else None)
        return {
            "architecture": architecture,
            "cpu": model.cpu or cpu_of(hypervisor),
            "hypervisor": hypervisor,
            "machine": machine or _MACHINES.get(architecture, "virt"),
            "root": self._root(host, root_format(hypervisor)),
        }

    def _root(self, host: str, format_: str | None) -> dict[str, Any]:
        model, flavor = self._model, self._flavor
        disk = model.disk or Disk()
        found: dict[str, Any] = {"bus": disk.bus or self._bus}
        if disk.cache is not None:
            found["cache"] = disk.cache
        limits = {"iops": flavor.iops, "throughput": flavor.throughput}
        found |= {name: limit for name, limit in limits.items() if limit is not None}
        pool = storage.location(self._pool, host, self._world.hosts)
        for name, size in (("swap", flavor.swap), ("ephemeral", flavor.ephemeral)):
            if size:
                found[name] = size
                found["pool"] = pool
        if model.boot_volume is not None:
            return found | {"volume": self._attached(model.boot_volume)}
        if disk.generation != 1:
            found["generation"] = disk.generation
        return found | {"format": storage.best_format(format_, pool), "pool": pool, "size": root_size(model, flavor)}

    @property
    def _bus(self) -> str:
        return self._image.disk_bus if self._image is not None else "virtio"

    def _volumes(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """By their address. A guest should know them by their serial, but the device has to be something."""
        taken = {one.device[-1] for one in self._model.volumes if one.device is not None}
        free = iter(letter for letter in LETTERS if letter not in taken)
        for one in self._model.volumes:
            described = self._attached(one.volume)
            described["bus"] = one.bus or ("scsi" if self._bus == "ide" else self._bus)
            described["device"] = one.device or f"{PREFIXES[described['bus']]}{next(free, 'z')}"
            described["mode"] = one.mode
            if one.device is not None:
                described["pinned"] = True
            if one.cache is not None:
                described["cache"] = one.cache
            yield str(one.volume), described

    def _attached(self, address: Address) -> dict[str, Any]:
        world = self._world
        member = world.member(address)
        block = world.desired.get(address)
        if block is None:
            return {"uuid": member.leases["uuid"]}
        pool = storage.place(block.model, member.host, world.hosts)
        found = {
            "format": storage.best_format(block.model.format, pool, shareable=block.model.shareable),
            "pool": pool,
            "shareable": block.model.shareable,
            "uuid": member.leases["uuid"],
        }
        if is_shared(pool):  # it grows where it is served, and the guest is told where that runs
            found["size"] = storage.volume_size(address, world.desired)
        return found | ({"qos": plain(block.model.qos)} if block.model.qos is not None else {})
