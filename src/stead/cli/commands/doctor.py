"""Check hosts, and report what is missing or wrong and how to repair it.

stead doctor
It runs a small guest to test virtualisation, and sends packets of full size between hosts. It asks fence agents for the
state of their hosts' power, which changes nothing. It asks whether the API answers (`stead_serve`), and when its
certificate ends. It asks the hosts with `stead_backup` which disks have no recent backup. It also lists hosts that were
declared dead, and hosts that are no longer in the inventory but have recorded resources.

exit status: 0 when nothing is wrong or there are only warnings, 1 otherwise
"""

from __future__ import annotations

import argparse
import json

from stead.cli.commands.hosts import known, real_inventory
from stead.cli.common import options as shared
from stead.cli.common.console_output import GREEN, complain, paint
from stead.cli.common.fencing import tried
from stead.core.diagnostics import has_errors
from stead.health import backups, fences, serving, store_members
from stead.health.doctor import diagnose, peers_of
from stead.health.silent import standings
from stead.kinds import kinds
from stead.runner.backups import disks_of
from stead.runner.observe import ObserveRequest, completed, observe


def arguments(parser: argparse.ArgumentParser) -> None:
    shared.inventory(parser)
    shared.store(parser)
    shared.vault(parser)
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument(
        "--cached", action="store_true", help="reuse the results of hypervisor tests since the last boot"
    )


def run(options: argparse.Namespace) -> int:
    workspace = shared.workspace_of(options)
    inventory, recorded = real_inventory(workspace), known(workspace)
    question = ObserveRequest(
        inventory=inventory.sources,
        hosts=list(inventory.hosts),
        afresh=not options.cached,
        examine=peers_of(inventory.hosts),
    )
    answers = observe(question)
    there = {name: completed(host, answers[name]) for name, host in inventory.hosts.items()}
    said, wrong = tried(workspace, inventory)
    answering = {name for name, answer in answers.items() if answer.answered}
    found = [
        *diagnose(inventory.hosts, answers, standings(there, recorded)),
        *wrong,
        *fences.diagnosed(said, answering),
        *store_members.diagnosed(inventory.serving, answers),
        *serving.diagnosed(inventory.serving, serving.ask_all(inventory)),
        *backups.diagnosed(backups.ask_all(inventory, answering), disks_of(recorded, kinds())),
    ]
    if options.json:
        rows = [
            {"host": one.address, "code": one.code, "severity": str(one.severity)}
            | {"summary": one.summary, "detail": one.detail}
            for one in found
        ]
        print(json.dumps({"hosts": sorted(answers), "findings": rows}, indent=1))
    else:
        complain(found)
        healthy = len(answers.keys() - {one.address for one in found})
        print(paint(f"{healthy} of {len(answers)} hosts have no problems", *([GREEN] if not found else [])))
    return 1 if has_errors(found) else 0
