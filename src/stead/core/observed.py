"""What the hosts are and what they report now. A value: who asked them, and how, is the runner's business."""

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
    MAINTENANCE = "maintenance"  # keeps what it has, gets nothing new
    DOWN = "down"  # does not answer: nothing is known of it, least of all that its instances are dead
    GONE = "gone"  # not in the inventory any more: it may run what it ran, as any that does not answer
    DEAD = "dead"  # does not answer, and a person says by its name that it is off

    @property
    def answers(self) -> bool:
        return self in (HostStatus.UP, HostStatus.MAINTENANCE)

    @property
    def may_run(self) -> bool:
        """Whether it may be running what it was given, with nobody to ask."""
        return self in (HostStatus.DOWN, HostStatus.GONE)


class StoragePool(NamedTuple):
    name: str
    type: str  # the name of its driver
    size: int
    path: str = ""
    shared: bool = False  # other hosts reach it over the network
    cluster: bool = False  # no host keeps it: each that has it reaches the same


@value
class Host:
    name: str
    roles: frozenset[str]
    state: HostStatus = HostStatus.UP
    why: str = ""  # of a host that is not up
    blind: bool = False  # of a host that is down: it answers, and its hypervisor does not
    zone: str = "default"
    traits: frozenset[str] = frozenset()
    vcpus: int = 0
    memory: int = 0
    overcommit: Mapping[str, float] = field(default_factory=dict)  # {"vcpus": 4.0, "memory": 1.0}
    reserved: Mapping[str, int] = field(default_factory=dict)
    devices: Mapping[str, int] = field(default_factory=dict)  # "device:gpu-a100", "hugepages:2MiB", "iops:fast"
    pools: Mapping[str, StoragePool] = field(default_factory=dict)  # that live on this host
    reaches: frozenset[str] = frozenset()  # shared pools of other hosts; empty means every one
    physical_networks: Mapping[str, str] = field(default_factory=dict)  # name -> device
    hypervisors: frozenset[str] = frozenset({"kvm"})
    programs: Mapping[str, str] = field(default_factory=dict)  # of its hypervisors: name -> version
    architecture: str = "x86_64"
    underlay: str = ""  # the address that tunnels use
    mtu: int = 1500
    projects: frozenset[str] = frozenset()  # reserved for these; empty means for all
    labels: Mapping[str, str] = field(default_factory=dict)  # for a site's own placement rules; Stead reads none


def host_of(facts: Mapping[str, Any]) -> Host:
    """What `as_dict` made of one. What this version has not heard of is passed over."""
    sets = ("roles", "traits", "reaches", "hypervisors", "projects")
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
    there: bool = True  # of what is begun: whether anything can be seen of it
    lost: bool = False  # by its host's ledger: it is there all the same
    awaited: bool = False  # it is there, and has not been seen ready since it was started


class StoreOrigin(NamedTuple):
    """What a host says of the store that it was last written from: its site, its serial then, and that run's token."""

    site: str
    serial: int
    token: str


class KeptDocument(NamedTuple):
    """What a host keeps of a project that belongs to the API."""

    revision: int = 0  # of what it has; 0: it knows only that the project is the API's
    content: str = ""  # sealed, in the form of the store; for hosts of the role controller


@value
class Observed:
    hosts: Mapping[str, Host]
    haves: Mapping[Address, Mapping[str, Have]] = field(default_factory=dict)  # address -> host -> what is there
    origins: Mapping[str, StoreOrigin] = field(default_factory=dict)  # of the hosts that a run has written to
    unread: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # host -> what it could not read of its own
    documents: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # host -> project of the API -> revision
    digest: str = ""


@value
class HostRecords:
    """What an apply records of hosts, beside what they have."""

    hosts: Mapping[str, Host | None] = field(default_factory=dict)  # as they are now; None: forgotten
    dead: tuple[str, ...] = ()  # of which a person says now that they are off
    back: tuple[str, ...] = ()  # of which that was said, and they answer again
    hears: tuple[str, ...] = ()  # hosts that answer, while another counts as dead: they are told of it first


NOBODY_SILENT = HostRecords()
