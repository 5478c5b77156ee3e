"""Why an instance cannot move between two hosts, as far as that is known before it is tried."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stead.core.effect import Data
from stead.core.observed import Host
from stead.drivers import hypervisor
from stead.drivers.storage import MOVE, refusal
from stead.kinds.instance.effects import holds

CPU = "cpu:"  # how traits begin that name a feature of the processor
HOSTS_OWN = ("host-passthrough", "host-model", "maximum")
NAMED = 5  # features that are told of


def stays(have: Mapping[str, Any], _want: Mapping[str, Any], source: Host, target: Host) -> str:
    return next(_reasons(have, source, target), "")


def _reasons(have: Mapping[str, Any], source: Host, target: Host) -> Iterator[str]:
    name = str(have.get("hypervisor") or hypervisor.preferred(source.hypervisors))
    can = hypervisor.of(name, hypervisor.MIGRATE)
    if not can.can and have.get("state") != "stopped":
        yield can.text
    if have.get("devices"):
        yield "It has devices of its host. Take `devices` out of its flavor, or make it anew there with `--replace`."
    if have.get("state") == "suspended":
        yield "It is suspended, and its memory is on its host alone. Start it (`state: running`), and move it then."
    if have.get("state") == "stopped":
        yield from _off(have)
    if older := _older(name, source, target):
        yield f"{older}. Update the programs there first."
    if name not in hypervisor.slow() and have.get("cpu") in HOSTS_OWN and (lacking := _lacking(source, target)):
        told = ", ".join(lacking[:NAMED]) + (" and more" if len(lacking) > NAMED else "")
        yield (
            f"The processor of {target.name} lacks what that of {source.name} has ({told}), and its `cpu` is "
            f"{have['cpu']}. Set `cpu` to a model that both have, and restart it; then it can move."
        )


def _off(have: Mapping[str, Any]) -> Iterator[str]:
    """Its disks are copied. What its hypervisor keeps in files of its own comes only with one that runs."""
    start = "Start it (`state: running`), and move it then."
    if have.get("tpm"):
        yield f"It is stopped, and what its TPM keeps comes only with one that runs. {start}"
    if have.get("firmware", "bios") != "bios":
        yield f"It is stopped, and the settings of its firmware come only with one that runs. {start}"
    if holds(have) is Data.HERE and (why := refusal(have["root"].get("pool"), MOVE)):
        yield why


def _older(name: str, source: Host, target: Host) -> str:
    """A guest may use what only the newer one has."""
    for program in hypervisor.by_hypervisor()[name].programs:
        here, there = source.programs.get(program, ""), target.programs.get(program, "")
        if here and there and _number(there)[:2] < _number(here)[:2]:
            return f"{target.name} has {program} {there}, and {source.name} the newer {here}"
    return ""


def _number(text: str) -> tuple[int, ...]:
    return tuple(int(word) for word in text.split(".") if word.isdigit())


def _lacking(source: Host, target: Host) -> list[str]:
    here, there = ({one for one in host.traits if one.startswith(CPU)} for host in (source, target))
    return sorted(one.removeprefix(CPU) for one in here - there) if there else []
