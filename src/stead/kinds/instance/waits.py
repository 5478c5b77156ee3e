"""What ready means for an instance: whether it can be seen at all, and what its host is told to look at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stead.core.diagnostics import Code, Diagnostic
from stead.core.kind import World
from stead.drivers.network import LOOKOUTS
from stead.kinds.instance.model import Instance, WaitFor
from stead.kinds.instance.nics import interfaces
from stead.kinds.shared import watched
from stead.kinds.shared.network_drivers import cannot
from stead.kinds.shared.subnets import network_block
from stead.language.desired import Block, Desired

UNSEEN = Code("STEAD-I043", "readiness cannot be checked")
BESIDE = Code("STEAD-I044", "the field does not apply to this check")
PORTS = {"ssh": 22, "http": 80}


def check(block: Block, desired: Desired) -> Iterator[Diagnostic]:
    model: Instance = block.model
    wait = model.wait
    if wait is None:
        return
    if not wait.timeout:
        text = "With a timeout of zero, every start fails. Write 5m, or leave `wait` out."
        yield UNSEEN.at(block.place("wait.timeout"), text)
    if wait.for_ not in watched.THROUGH_NETWORK:
        if not model.agent:
            text = f"{wait.for_} needs the guest agent, and `agent` is false. Set it to true, or wait for ssh."
            yield UNSEEN.at(block.place("wait"), text)
    elif (look := watched.watched_interface(block, desired)) is not None:
        network = network_block(look.network, desired)
        yield from cannot(network.model, [LOOKOUTS], block.place("wait")) if network is not None else ()
    else:
        where = f"in {wait.network}" if wait.network is not None else "in a network without a count"
        text = (
            f"{wait.for_} is checked over the network, and the instance has no address {where}. Give it one, "
            "or wait for agent."
        )
        yield UNSEEN.at(block.place("wait"), text)
    yield from _beside(block, wait)


def _beside(block: Block, wait: WaitFor) -> Iterator[Diagnostic]:
    fields = {
        "port": ("ssh", "http"),
        "path": ("http",),
        "status": ("http",),
        "network": tuple(watched.THROUGH_NETWORK),
    }
    for name, those in fields.items():
        if getattr(wait, name) is not None and wait.for_ not in those:
            text = f"`{name}` is of {' and '.join(sorted(those))}, and this waits for {wait.for_}. Remove it."
            yield BESIDE.at(block.place(f"wait.{name}"), text)


def described(block: Block, world: World) -> dict[str, Any] | None:
    model: Instance = block.model
    wait = model.wait
    if wait is None:
        return None
    found: dict[str, Any] = {"for": wait.for_, "timeout": wait.timeout}
    if wait.for_ in PORTS:
        found["port"] = wait.port or PORTS[wait.for_]
    if wait.for_ == "http":
        found["path"] = wait.path or "/"
        found |= {"status": wait.status} if wait.status is not None else {}
    look = watched.watched_interface(block, world.desired)
    if look is not None:
        found["from"] = watched.source(world.member(look.network), look.net)
        found["nic"] = interfaces(block, world.desired)[look.at].key
    return found


def awaited(block: Block) -> str:
    model: Instance = block.model
    return model.wait.for_ if model.wait is not None and model.state == "running" else ""
