"""List the hosts of an inventory: roles, zone, state, how full they are, instances.

stead hosts
stead hosts -i inventory.yml --json
A host that does not answer is listed as down, or as dead after `--confirm-dead`. A host that is no longer in the
inventory but has recorded resources is listed as gone.

exit status: 0, also when hosts are down
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from stead.cli.common import options as shared
from stead.cli.common.console_output import BOLD, DIM, GREEN, RED, YELLOW, complain, paint
from stead.cli.common.workspace import Workspace, existing_state, is_simulated, read_hosts, runner_for
from stead.core.diagnostics import Code, Refused, has_errors
from stead.core.recorded import Recorded
from stead.health.room import Room, Row, as_json, row, silent_row, simulated_row, standing_of
from stead.health.silent import standings
from stead.plan.render.values import safe
from stead.runner.observe import ObserveRequest, completed, observe
from stead.site.inventory import Inventory

SIMULATED = Code("STEAD-H021", "these hosts are simulated")
BAR = 10
NEARLY_FULL = 0.9


def arguments(parser: argparse.ArgumentParser) -> None:
    shared.hosts(parser)
    shared.store(parser)
    parser.add_argument("--json", action="store_true", help="for programs")


def run(options: argparse.Namespace) -> int:
    workspace = shared.workspace_of(options)
    inventory = inventory_of(workspace)
    if is_simulated(workspace, inventory):
        observed = runner_for(workspace, inventory).observe(inventory.hosts)
        hosts = observed.hosts
        rows = [simulated_row(host, observed) for host in hosts.values()]
    else:
        answers = observe(ObserveRequest(inventory=inventory.sources, hosts=list(inventory.hosts)))
        hosts = {name: completed(host, answers[name]) for name, host in inventory.hosts.items()}
        rows = [row(host, answers[name]) for name, host in inventory.hosts.items()]
    found = standings(hosts, known(workspace))
    rows = [standing_of(one, found[one.name]) if one.name in found else one for one in rows]
    rows += [silent_row(one) for name, one in found.items() if name not in hosts]
    print(json.dumps([as_json(one) for one in rows], indent=1) if options.json else table(rows))
    return 0


def inventory_of(workspace: Workspace) -> Inventory:
    """Refuses one that is wrong; warnings are shown."""
    inventory, found = read_hosts(workspace)
    if has_errors(found):
        raise Refused(*found)
    complain(found)
    return inventory


def known(workspace: Workspace) -> Recorded:
    """What is recorded; nothing where there is no store, and where it cannot be read, which is shown."""
    try:
        store = existing_state(workspace)
    except Refused as refused:
        complain(refused.diagnostics)
        return Recorded()
    return store.recorded() if store is not None else Recorded()


def real_inventory(workspace: Workspace) -> Inventory:
    """For what is done to machines alone."""
    inventory = inventory_of(workspace)
    if is_simulated(workspace, inventory):
        text = "Remove `stead_runner: simulated` from the inventory if its hosts are real machines."
        raise Refused(SIMULATED.at(None, text))
    return inventory


def table(rows: Sequence[Row]) -> str:
    head = ["HOST", "ROLES", "ZONE", "STATE", "VCPUS", "MEMORY", "DISK", "INSTANCES"]
    lines = [cells(one) for one in rows]
    widths = [max(len(line[at]) for line in [head, *lines]) for at in range(len(head))]
    shown = [paint("  ".join(_padded(head, widths)).rstrip(), BOLD)]
    for one, line in zip(rows, lines, strict=True):
        padded = _padded(line, widths)
        padded[3] = paint(padded[3], {"up": GREEN, "maintenance": YELLOW}.get(one.state, RED))
        for at, room in ((4, one.vcpus), (5, one.memory), (6, one.disk)):
            padded[at] = paint(padded[at], RED) if room.share > NEARLY_FULL else padded[at]
        shown.append("  ".join(padded).rstrip())
        if one.why:
            shown.append(paint(f"    {safe(one.why.splitlines()[0])}", DIM))
        if one.todo:
            shown.append(paint(f"    {safe(one.todo)}", DIM))
    up = sum(one.state == "up" for one in rows)
    shown.append(f"{up} of {len(rows)} hosts up, {sum(one.running for one in rows)} instances running")
    return "\n".join(shown)


def _padded(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)]


def cells(one: Row) -> list[str]:
    if one.state not in ("up", "maintenance"):
        return [one.name, ",".join(one.roles), one.zone, one.state, "?", "?", "?", "?"]
    computes = "compute" in one.roles
    return [
        one.name,
        ",".join(one.roles),
        one.zone,
        one.state,
        f"{bar(one.vcpus)} {one.vcpus.used}/{one.vcpus.total}" if computes else "-",
        f"{bar(one.memory)} {spoken(one.memory)}" if computes else "-",
        f"{bar(one.disk)} {spoken(one.disk)}" if one.disk.total else "-",
        f"{one.running}/{one.instances} on {'+'.join(one.hypervisors) or 'nothing'}" if computes else "-",
    ]


def bar(room: Room) -> str:
    full, empty = ("█", "░") if (sys.stdout.encoding or "").lower().startswith("utf") else ("#", ".")
    filled = round(room.share * BAR)
    if room.used and not filled:
        filled = 1
    return full * filled + empty * (BAR - filled)


def spoken(room: Room) -> str:
    """Both in the unit of the larger, so that they can be compared."""
    unit, size = next(
        ((unit, size) for unit, size in (("TiB", 1 << 40), ("GiB", 1 << 30)) if room.total >= size), ("MiB", 1 << 20)
    )
    return f"{room.used / size:.1f}/{room.total / size:.1f} {unit}"
