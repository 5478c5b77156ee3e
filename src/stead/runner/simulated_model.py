"""What the file of simulated hosts holds: hosts, resources and faults, as values."""

from __future__ import annotations

from enum import StrEnum

from stead.core.named import NamedTuple
from stead.core.want import Want

FIRST_UNDERLAY = (100 << 24) | (64 << 16) | 1  # 100.64.0.0/10: set aside for networks behind others, so nobody's own


class FaultKind(StrEnum):
    FAIL = "fail"  # the step fails with an error
    DIE = "die"  # the host goes down in the middle of the step, which is done and never reported
    UNREADY = "unready"  # the step is done, and its guest is never ready
    DIE_BEFORE = "die-before"  # the host goes down just before it does the step
    FENCE = "fence"  # no step: the fence agent of the host fails


OFF = "off"  # state of a host that has no power; one that is down has only lost its cable, and runs on
SILENT = frozenset({OFF, "down"})
AWAITED = "awaited "  # before the digest that a thing was made from: it was not seen ready since


class SimulatedFault(NamedTuple):
    kind: FaultKind
    host: str = ""  # empty: any
    address: str = ""  # empty: any; without a key, all of the block
    skip: int = 0  # steps that match and still go well
    times: int = 1  # how often it strikes
    error: str = "injected by `stead simulate`"
    id: int = 0

    def matches(self, host: str, address: str) -> bool:
        return self.host in ("", host) and self.address in ("", address, address.partition("[")[0])


class SimulatedResource(NamedTuple):
    """A resource on a host. `made_from` is the digest it was applied with; drift changes only `want`."""

    address: str
    host: str
    uuid: str
    want: Want
    made_from: str


class HostRow(NamedTuple):
    name: str
    number: int
    state: str
    why: str
    delay: float

    @property
    def answers(self) -> bool:
        return self.state not in SILENT

    @property
    def underlay(self) -> str:
        value = FIRST_UNDERLAY + self.number
        return f"{value >> 24}.{value >> 16 & 255}.{value >> 8 & 255}.{value & 255}"
