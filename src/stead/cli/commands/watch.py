"""Watch hosts, and evacuate one that died, with its fence agent. Optional: nothing depends on it.

  stead watch                              report and act, until stopped
  stead watch --dry-run                    only report what it would do
  stead watch --on-host-failure wait       only report, with --command too
  stead watch --command /usr/local/bin/page   run this with each report as its last argument

Every few seconds each host is asked from here. If one is silent, its neighbours ask it over the underlay. It is
evacuated when nobody has reached it for --patience seconds, more than half of the hosts answer, it has a fence agent,
and fewer than --limit hosts were evacuated within the hour. Otherwise it only reports, and a person decides.
Several can watch one site: an evacuation needs the store's lock. What would lose data is never done.

exit status: 0; with --once, 2 when a host is silent; 130 stopped by Ctrl-C
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from time import monotonic, sleep, time
from typing import TYPE_CHECKING

from stead.cli.commands.hosts import inventory_of, known
from stead.cli.common import options as shared
from stead.cli.common.workspace import SIMULATION, existing_state, is_simulated, made_directory
from stead.core.diagnostics import Refused
from stead.core.observed import HostStatus
from stead.core.value import value
from stead.store.codes import UNREACHABLE
from stead.watch.deciding import HostVerdict, Suspicion, WatchedHosts, WatchPolicy, decide

if TYPE_CHECKING:
    from stead.cli.common.workspace import Workspace
    from stead.site.inventory import Inventory
    from stead.watch.looking import Eyes

HOUR = 3600
RUNS = 100  # looked through for evacuations of the last hour
SILENT = 2
REASON = "evacuation of "
MOVABLE = frozenset({"compute", "network"})  # roles of hosts whose work another can take over


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--once", action="store_true", help="do as many rounds as a decision needs, then end")
    parser.add_argument("--dry-run", action="store_true", help="report what would be done, and do nothing")
    parser.add_argument(
        "--on-host-failure", choices=("evacuate", "wait"), default="evacuate", help="(default: evacuate)"
    )
    parser.add_argument("--limit", type=shared.number(1), default=1, metavar="N", help="hosts an hour (default: 1)")
    parser.add_argument("--every", type=shared.number(1, 60), default=4, metavar="S", help="seconds (default: 4)")
    parser.add_argument("--patience", type=shared.number(5), default=12, metavar="S", help="seconds (default: 12)")
    parser.add_argument("--command", metavar="PROGRAM", help="program to run with each report")
    shared.inputs(parser)


@value
class Watch:
    eyes: Eyes
    policy: WatchPolicy
    inventory: Inventory
    workspace: Workspace
    dry_run: bool
    command: str | None  # that is told as well
    tried: list[float]  # moments of its own evacuations, those that failed among them


def run(options: argparse.Namespace) -> int:
    workspace = shared.workspace_of(options)
    inventory = inventory_of(workspace)
    acts = options.on_host_failure == "evacuate"
    watch = Watch(
        eyes=_eyes(workspace, inventory),
        policy=WatchPolicy(evacuate=acts, patience=float(options.patience), limit=options.limit),
        inventory=inventory,
        workspace=workspace,
        dry_run=options.dry_run,
        command=options.command,
        tried=[],
    )
    suspicion, told, begun = Suspicion(at=monotonic()), dict[str, str](), False
    while True:
        try:
            suspicion, verdicts = _round(watch, suspicion)
        except Refused as refusal:
            if options.once or not begun or not _away(refusal):
                raise
            print("The store does not answer, and is asked again.", file=sys.stderr, flush=True)
            sleep(options.every)
            continue
        begun = True
        for one in verdicts:
            if told.get(one.host) != one.why:
                _carry_out(watch, one)
        told = {one.host: one.why for one in verdicts}
        if options.once and not suspicion.since:
            print("All watched hosts answer.")
            return 0
        if options.once and verdicts:
            return SILENT
        sleep(options.every)


def _away(refusal: Refused) -> bool:
    """A store that answered before is waited for: its server may fail over."""
    return all(one.code == UNREACHABLE.id for one in refusal.diagnostics)


def _eyes(workspace: Workspace, inventory: Inventory) -> Eyes:
    from stead.watch.looking import RealEyes, SimulatedEyes

    if is_simulated(workspace, inventory):
        from stead.runner.simulated_state import SimulatedState

        return SimulatedEyes(SimulatedState(made_directory(workspace) / SIMULATION))
    return RealEyes(inventory)


def _round(watch: Watch, suspicion: Suspicion) -> tuple[Suspicion, list[HostVerdict]]:
    """Hosts that were called dead, or are in maintenance, are silent for a reason."""
    recorded, every = known(watch.workspace), watch.inventory.hosts
    dead = {name for name, one in recorded.hosts.items() if one.dead}
    hosts = {name for name, one in every.items() if name not in dead and one.state is HostStatus.UP}
    held = {host for record in recorded.resources.values() for host in (record.host, *record.wants)}
    unable = dict.fromkeys(hosts - held, "nothing is recorded on it")
    unable |= {name: "it keeps data, which nobody else has" for name in hosts if not every[name].roles & MOVABLE}
    unable |= {
        name: "it has no fence agent, so only a person can say that it is off"
        for name in hosts
        if name not in watch.inventory.fences
    }
    watched = WatchedHosts(frozenset(hosts), unable, _tried(watch))
    return decide(watch.policy, suspicion, watch.eyes.look(hosts), watched, monotonic())


def _tried(watch: Watch) -> int:
    """Also by other watchers and by people, whose runs the store has."""
    store = existing_state(watch.workspace)
    runs = store.runs(RUNS) if store is not None else ()
    done = sum(one.reason.startswith(REASON) and time() - one.started < HOUR for one in runs)
    return max(done, sum(monotonic() - at < HOUR for at in watch.tried))


def _carry_out(watch: Watch, verdict: HostVerdict) -> None:
    acts = verdict.evacuate and not watch.dry_run
    what = "is evacuated" if acts else "would be evacuated" if verdict.evacuate else "is silent, and nothing is done"
    _tell(watch, f"{verdict.host} {what}: {verdict.why}.")
    if acts:
        watch.tried.append(monotonic())
        words, surroundings = _evacuation(watch.workspace, verdict.host), _surroundings(watch.workspace)
        status = subprocess.run(words, check=False, env=surroundings).returncode
        _tell(watch, f"The evacuation of {verdict.host} ended with status {status}.")


def _tell(watch: Watch, text: str) -> None:
    print(text, flush=True)
    if watch.command:
        subprocess.run([watch.command, text], check=False)


def _evacuation(workspace: Workspace, host: str) -> Sequence[str]:
    """A process of its own: what goes wrong there does not end the watch."""
    words = [sys.executable, "-m", "stead", "evacuate", host, "--auto-approve"]
    repeated = {"--spec": workspace.specs, "--inventory": workspace.inventories, "--var-file": workspace.var_files}
    repeated |= {"--vault-password-file": workspace.vault_files}
    words += [word for name, some in repeated.items() for one in some for word in (name, str(one))]
    words += [f"--extra={name}={text}" for name, text in workspace.variables.items()]
    return [*words, *(["--simulated"] if workspace.simulated else [])]


def _surroundings(workspace: Workspace) -> Mapping[str, str]:
    """The store's address may have a password, and everybody on the machine may read the words of a command."""
    return {**os.environ, **({"STEAD_STORE": workspace.store} if workspace.store else {})}
