"""Desired with every choice made. A value: `settle` makes it, nothing changes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stead.blueprint.placement.model import Placement, Problem
from stead.core.address import Address
from stead.core.named import NamedTuple
from stead.core.value import field, value
from stead.core.want import Want
from stead.language.desired import Block

if TYPE_CHECKING:
    from stead.blueprint.placement import Rebalance


class Reason(NamedTuple):
    """Why a choice or a step is as it is. The code is permanent; the text is for people."""

    code: str  # "count-fell", "first-fit", "sticky", "drift"
    text: str


class Settled(NamedTuple):
    """One resource, every choice made."""

    address: Address
    block: Block
    leases: Mapping[str, str]
    host: str  # empty for what lives on no single host
    placed: Reason  # why that host
    wants: Mapping[str, Want]  # host -> what it should have; "" is recorded only
    homes: tuple[str, ...] = ()  # hosts that must have it before others can use it


@value
class Blueprint:
    resources: Mapping[Address, Settled]
    outputs: Mapping[str, Any]
    takes_over: Mapping[Address, tuple[Address, ...]]  # may be made only when these are gone or changed
    problem: Problem  # what placement was asked, for `explain` and `capacity`
    placement: Placement
    rebalance: Rebalance | None = None  # what was rearranged on request
    move_waves: tuple[frozenset[Address], ...] = ()  # its migrations, in an order in which each one fits
    used: Mapping[Address, Address] = field(default_factory=dict)  # by what stays unmanaged: what -> one that uses it
    alone: frozenset[Address] = frozenset()  # what one uses at a time
    priorities: Mapping[Address, int] = field(default_factory=dict)  # who is started first, of those that have one
    secrets: Mapping[tuple[str, str], str] = field(
        default_factory=dict, repr=False
    )  # (project, id) -> plain text; never written anywhere
