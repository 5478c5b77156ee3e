"""What the hosts are and what they report now. A value: how it was collected is the runner's business."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from stead.core.address import Address
from stead.core.named import NamedTuple
from stead.core.value import field, fields_of, value
from stead.core.want import Want


class HostStatus(StrEnum):
    UP = "up"
    MAINTENANCE = "maintenance"  # keeps its resources, gets no new ones
    DOWN = "down"  # does not answer: its instances may still run
    GONE = "gone"  # no longer in the inventory: its instances may still run
    DEAD = "dead"  # does not answer, and a person or a fence agent confirmed that it is off

    @property
    def answers(self) -> bool:
        return self in (HostStatus.UP, HostStatus.MAINTENANCE)

    @property
    def may_run(self) -> bool:
        """Whether its resources may be running while it does not answer."""
        return self in (HostStatus.DOWN, HostStatus.GONE)


class StoragePool(NamedTuple):
    name: str
    type: str  # the name of its driver
    size: int
    path: str = ""
    shared: bool = False  # other hosts reach it over the network
    cluster: bool = False  # no host keeps it: all hosts reach the same pool


@value
class Host:
    name: str
    roles: frozenset[str]
    state: HostStatus = HostStatus.UP
    why: str = ""  # why it is not up
    blind: bool = False  # for a host that is down: it answers, but its hypervisor does not
    zone: str = "default"
    traits: frozenset[str] = frozenset()
    vcpus: int = 0
    memory: int = 0
    overcommit: Mapping[str, float] = field(default_factory=dict)  # {"vcpus": 4.0, "memory": 1.0}
    reserved: Mapping[str, int] = field(default_factory=dict)
    devices: Mapping[str, int] = field(default_factory=dict)  # "device:gpu-a100", "hugepages:2MiB", "iops:fast"
    pools: Mapping[str, StoragePool] = field(default_factory=dict)  # pools that this host keeps
    reaches: frozenset[str] = frozenset()  # shared pools of other hosts; empty means all
    physical_networks: Mapping[str, str] = field(default_factory=dict)  # name -> device
    network_drivers: Mapping[str, str] = field(default_factory=dict)  # beside the first -> who keeps their databases
    object_drivers: frozenset[str] = frozenset()  # of object stores that it is prepared for
    hypervisors: frozenset[str] = frozenset({"kvm"})
    programs: Mapping[str, str] = field(default_factory=dict)  # of its hypervisors: name -> version
    architecture: str = "x86_64"
    underlay: str = ""  # the address that tunnels use
    management: str = ""  # the address at which Ansible reaches it, where that is another
    mtu: int = 1500
    projects: frozenset[str] = frozenset()  # reserved for these projects; empty means all
    labels: Mapping[str, str] = field(default_factory=dict)  # for a site's own placement rules; Stead reads none


def host_of(facts: Mapping[str, Any]) -> Host:
    """The reverse of `as_dict`. Fields that this version does not know are ignored."""
    sets = ("roles", "traits", "reaches", "hypervisors", "object_drivers", "projects")
    known = {name: facts[name] for name in fields_of(Host) if name in facts}
    known |= {name: frozenset(known[name]) for name in sets if name in known}
    pools = {name: StoragePool(**one) for name, one in known.get("pools", {}).items()}
    return Host(**{**known, "state": HostStatus(known.get("state", HostStatus.UP)), "pools": pools})


class Have(NamedTuple):
    """One resource as a host has it. `made_from` is the digest of the want that it carries in its own metadata.

    Of what is only `begun`, anything may be there, or nothing: the step that was to make it did not end.
    """

    want: Want
    made_from: str = ""
    uuid: str = ""
    begun: bool = False
    there: bool = True  # for something begun: whether any part of it exists
    lost: bool = False  # it exists, but the ledger of its host has no entry
    awaited: bool = False  # it exists, but has not become ready since it was started


class StoreOrigin(NamedTuple):
    """What a host reports of the store of the last run on it: the site, the store's serial, and the run's token."""

    site: str
    serial: int
    token: str


class KeptDocument(NamedTuple):
    """What a host stores of a project of the API."""

    revision: int = 0  # of its copy; 0: it only knows that the project belongs to the API
    content: str = ""  # sealed, in the form of the store; for hosts of the role controller


@value
class Observed:
    hosts: Mapping[str, Host]
    haves: Mapping[Address, Mapping[str, Have]] = field(default_factory=dict)  # address -> host -> what is there
    origins: Mapping[str, StoreOrigin] = field(default_factory=dict)  # of the hosts that a run has written to
    unread: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # host -> what it could not read of its own
    documents: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # host -> project of the API -> revision
    strangers: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    """Host -> UUID -> what it says of a guest that is not Stead's."""
    digest: str = ""


@value
class HostRecords:
    """What an apply records of hosts, in addition to their resources."""

    hosts: Mapping[str, Host | None] = field(default_factory=dict)  # as they are now; None: forgotten
    dead: tuple[str, ...] = ()  # hosts that a person now confirms to be off
    back: tuple[str, ...] = ()  # hosts that were declared dead and answer again
    hears: tuple[str, ...] = ()  # hosts that answer and must first be told that another host is dead
    drained: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # host -> UUIDs of what moves away from it
    restored: tuple[str, ...] = ()  # hosts that were drained and get new resources again

    @property
    def says(self) -> bool:
        """Whether anything of it is worth an apply by itself. What hosts are is recorded with any."""
        return bool(self.dead or self.back or self.drained or self.restored)


NOBODY_SILENT = HostRecords()
