"""Start elsewhere what a dead host ran: instances, routers, floating IPs, DHCP servers.

  stead evacuate compute-1                           fence it, then start elsewhere what it ran
  stead evacuate compute-1 --confirm-dead compute-1  you know that it is off: no agent is asked
  stead evacuate compute-1 --dry-run                 only show what would be done, and what would wait
  stead evacuate compute-1 --max-disruption data-loss   also what has its disk there, with a new, empty disk

First the host must be proven dead: its fence agent cuts its power and reports off, or you type its name. Unreachable is
not dead: its guests may still run, and a second copy would write to the same disks. A host that answers is refused.
Other changes of the spec wait for the next apply. Instances with the highest `priority` start first. What finds no room
waits, and the plan says why. What has its disk only on that host waits for your consent to lose it.
When the host comes back, it starts nothing that it ran before (docs/dead-hosts.md).

exit status: 0 done, and nothing waits; 1 refused, or some steps failed; 2 done, and something waits; 3 not agreed to;
130 stopped by Ctrl-C
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection
from typing import TYPE_CHECKING

from stead.cli.commands.fence import cut_power
from stead.cli.common import options as shared
from stead.cli.common.applying import NO, NO_PROOFS, carry_out, who
from stead.cli.common.approval import named
from stead.cli.common.fencing import agent_for, answers, fence, fencer_for, refuse_living
from stead.cli.common.loading import load
from stead.cli.common.workspace import BAD_OPTION, read_hosts
from stead.core.diagnostics import Code, Refused, has_errors
from stead.core.effect import Disruption
from stead.core.value import replace, value
from stead.plan.evacuation import plan_evacuation
from stead.runner.fencing import FenceAction, Power

if TYPE_CHECKING:
    from stead.cli.common.loading import Loaded
    from stead.cli.common.request import Printing
    from stead.cli.common.workspace import Workspace
    from stead.core.address import Address
    from stead.plan.model import Plan
    from stead.runner.fencing import Fencer
    from stead.site.inventory.fences import FenceAgent

UNPROVEN = Code("STEAD-C055", "there is no proof that the host is dead")
WAITING = 2
SHOWN = 20  # of those that wait for consent


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("host", help="name of the host")
    parser.add_argument("--dry-run", action="store_true", help="show the plan, and change nothing")
    parser.add_argument("--force", action="store_true", help="fence it even if it answers")
    parser.add_argument("--auto-approve", action="store_true", help="do not ask")
    parser.add_argument(
        "--parallel", type=shared.number(0), default=0, metavar="N", help="hosts at once (default: the runner's)"
    )
    parser.add_argument("--reason", default="", help="the reason, for the history")
    shared.limit(parser, None)
    shared.dead(parser)
    shared.inputs(parser)
    shared.output(parser)


@value
class Proof:
    """How the host's death is proven: recorded before, by a person's word, or by its agent."""

    recorded: bool
    said: bool
    agent: FenceAgent | None
    fencer: Fencer

    @property
    def needs_fencing(self) -> bool:
        """What was recorded may be true no more: somebody may have switched it on, and it is still booting."""
        if self.agent is None or self.said:
            return False
        return not self.recorded or self.fencer.ask(self.agent, FenceAction.STATUS).power is not Power.OFF


def run(options: argparse.Namespace) -> int:
    if wrong := [one for one in options.confirm_dead if one != options.host]:
        raise Refused(BAD_OPTION.at(None, f"--confirm-dead {wrong[0]}: the host to evacuate is {options.host}."))
    host, asked = options.host, shared.applying_of(options)
    loaded = load(asked.workspace)
    if host in loaded.inputs.observed.hosts and answers(host, loaded.inputs.observed):
        if not options.force:
            refuse_living(host, loaded.inputs.observed)
        printing = replace(asked.printing, quiet=True)
        if status := cut_power(asked.workspace, host, printing, force=True, auto_approve=asked.auto_approve):
            return status
        asked = replace(asked, auto_approve=True)  # it was asked and answered
        loaded = load(asked.workspace)
    proof = _proof(asked.workspace, host, loaded, said=bool(options.confirm_dead))
    planned, left, found = plan_evacuation(loaded.inputs, host, lossy=asked.most == Disruption.DATA_LOSS)
    plan, blueprint = planned.plan, planned.blueprint
    if plan is None or blueprint is None or has_errors(found):
        raise Refused(*loaded.found, *found)
    if options.dry_run or not asked.printing.json:  # else what was done is told
        asking = not asked.auto_approve and not options.dry_run  # nobody agrees to what was not shown
        quiet = asked.printing.quiet and not asking
        _show(plan, host, left, loaded, replace(asked.printing, quiet=quiet, title=f"Evacuation of {host}"))
    if options.dry_run:
        return _status(0, plan, left)
    if not _agreed(host, proof, auto_approve=asked.auto_approve):
        print("Nothing was done.", file=sys.stderr)
        return NO
    proofs = NO_PROOFS
    if proof.agent is not None and proof.needs_fencing:
        proofs = {host: fence(proof.fencer, proof.agent, who())}
    asked = replace(asked, reason=asked.reason or f"evacuation of {host}")
    return _status(carry_out(asked, plan, loaded, blueprint.secrets, proofs), plan, left)


def _proof(workspace: Workspace, host: str, loaded: Loaded, *, said: bool) -> Proof:
    known = loaded.inputs.recorded.hosts.get(host)
    inventory, _ = read_hosts(workspace)
    return Proof(
        recorded=known is not None and bool(known.dead),
        said=said,
        agent=None if said else agent_for(workspace, inventory, host),
        fencer=fencer_for(workspace, inventory),
    )


def _agreed(host: str, proof: Proof, *, auto_approve: bool) -> bool:
    """One answer is enough: who types the name of a host without an agent also says that it is off."""
    if auto_approve:
        if not (proof.recorded or proof.said or proof.agent):
            raise _unproven(host)
        return True
    if proof.recorded or proof.said:
        question = f"To start elsewhere what {host} ran, type its name: "
    elif proof.agent is not None:
        question = f"To cut the power of {host} and start elsewhere what it ran, type its name: "
    elif not sys.stdin.isatty():
        raise _unproven(host)
    else:
        question = f"It has no fence agent. If you have made sure that {host} is off, type its name: "
    return named(question, host)


def _unproven(host: str) -> Refused:
    text = (
        f"{host} does not answer, but may still be running. It has no fence agent (stead_fence in the inventory) "
        f"that could cut its power. Make sure that it is off, and use --confirm-dead {host}."
    )
    return Refused(UNPROVEN.at(None, text, address=host))


def _show(plan: Plan, host: str, left: Collection[Address], loaded: Loaded, printing: Printing) -> None:
    from stead.cli.common.planning import show

    show(plan, printing, list(loaded.found))
    if left and not printing.quiet:
        names = ", ".join(str(one) for one in list(left)[:SHOWN])
        more = f" and {len(left) - SHOWN} more" if len(left) > SHOWN else ""
        print(
            f"{names}{more}: the data is on {host} alone, and would be lost. Not started elsewhere without "
            "--max-disruption data-loss.",
            file=sys.stderr,
        )


def _status(done: int, plan: Plan, left: Collection[Address]) -> int:
    return WAITING if done == 0 and (plan.waiting or left) else done
