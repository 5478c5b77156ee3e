"""What `stop`, `start`, `reboot` and their like share: one step for each instance, planned, shown and asked as any."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Iterator
from functools import partial
from typing import TYPE_CHECKING

from stead.cli.common import options as shared
from stead.core.by_hand import SHELVED, STATE, ByHand
from stead.core.diagnostics import Code, Diagnostic
from stead.core.effect import AS_IT_IS, Action

if TYPE_CHECKING:
    from stead.cli.common.planning import Ready
    from stead.cli.common.request import ApplyRequest

MORE = Code("STEAD-C058", "other changes of the resource are pending")
SILENT = Code("STEAD-C067", "the host of the resource does not answer")
OFF = Code("STEAD-C066", "an instance that is off cannot be resumed")
NOT_SHELVED = Code("STEAD-C091", "an instance that is not shelved cannot be unshelved")
HALTED = ("paused", "suspended")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("address", nargs="+", metavar="ADDRESS", help="an instance, or a definition of several")
    shared.applying(parser)
    shared.inputs(parser)
    shared.output(parser)


Check = Callable[[Collection[str], "Ready"], Iterator[Diagnostic]]


def change(asked: ApplyRequest, addresses: tuple[str, ...], state: str, check: Check | None = None) -> int:
    import time

    from stead.cli.common.applying import plan_and_apply, who
    from stead.cli.common.request import PlanningRequest
    from stead.store.model import moment

    given = str(ByHand(state, who(), moment(time.time())))
    return plan_and_apply(
        asked, PlanningRequest(target=addresses, state=given), partial(check or only_power, addresses)
    )


def resume(asked: ApplyRequest, addresses: tuple[str, ...]) -> int:
    return change(asked, addresses, "running", only_halted)


def unshelve(asked: ApplyRequest, addresses: tuple[str, ...]) -> int:
    return change(asked, addresses, "running", only_shelved)


def reboot(asked: ApplyRequest, addresses: tuple[str, ...]) -> int:
    from stead.cli.common.applying import plan_and_apply
    from stead.cli.common.request import PlanningRequest

    return plan_and_apply(asked, PlanningRequest(target=addresses, reboot=addresses), partial(only_power, addresses))


def only_power(
    addresses: Collection[str], ready: Ready, *, actions: Collection[Action] = (Action.UPDATE, Action.REBOOT)
) -> Iterator[Diagnostic]:
    """What is not on its host, or is to be on another, takes more than its state."""
    yield from _silent(addresses, ready)
    yield from _pending(ready, (*actions, *AS_IT_IS))


def _silent(addresses: Collection[str], ready: Ready) -> Iterator[Diagnostic]:
    """What waits would not be recorded."""
    for host, names in ready.plan.waiting.items():
        for name in names:
            if name in addresses or name.partition("[")[0] in addresses:
                text = (
                    f"{name} waits for {host or 'a host'}, which does not answer. Leave it out, or bring the host back."
                )
                yield SILENT.at(None, text, address=name)


def _pending(ready: Ready, actions: Collection[Action], of: Collection[str] = ()) -> Iterator[Diagnostic]:
    told: set[str] = set()
    for step in ready.plan.steps:
        mine = not of or str(step.address) in of or str(step.address.block) in of
        if mine and step.action not in actions and str(step.address) not in told:
            told.add(str(step.address))
            text = f"The spec and the hosts differ: the plan would {step.action} {step.address}. Apply that first."
            yield MORE.at(None, text, address=str(step.address))


def only_halted(addresses: Collection[str], ready: Ready) -> Iterator[Diagnostic]:
    yield from only_power(addresses, ready)
    for step in ready.plan.steps:
        fields = step.have.fields() if step.have is not None else {}
        state = SHELVED if SHELVED in fields else fields.get(STATE, "")
        if state not in (*HALTED, "running"):  # somebody may have let it go on by hand
            text = f"{step.address} is {state}, so there is nothing that could go on. `stead start` starts it."
            yield OFF.at(None, text, address=str(step.address))


def only_shelved(addresses: Collection[str], ready: Ready) -> Iterator[Diagnostic]:
    """One whose host has no room any more moves to another, where its network may have to be made."""
    yield from _silent(addresses, ready)
    yield from _pending(ready, (Action.UPDATE, Action.REBOOT, Action.MIGRATE, *AS_IT_IS), addresses)
    for step in ready.plan.steps:
        fields = step.have.fields() if step.have is not None else {}
        if STATE in fields and SHELVED not in fields and fields[STATE] != "running":
            text = f"{step.address} is {fields[STATE]}, and not shelved. `stead start` starts it."
            yield NOT_SHELVED.at(None, text, address=str(step.address))
