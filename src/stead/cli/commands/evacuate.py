"""Start elsewhere what a dead host ran: instances, routers, floating IPs, DHCP servers. One command, and nothing else.

  stead evacuate compute-1                           fence it by its agent, then start elsewhere what it ran
  stead evacuate compute-1 --confirm-dead compute-1  it is off, you say: no agent is asked
  stead evacuate compute-1 --dry-run                 only show what would be done, and who would wait
  stead evacuate compute-1 --max-disruption data-loss   also what has its disk on that host: with a new one, empty

First the host is proven dead: its fence agent cuts its power and says off; or you type its name. Unreachable is not
dead: it may run on with its cable out, and a second guest would write to the same disks. A host that answers is
refused.
Other changes of the spec stay for the next apply. Those of the highest `priority` are started first, and who finds no
room waits: the plan says why. What had its disk on that host alone waits for your consent to lose that.
When the host comes back it starts nothing of before (docs/dead-hosts.md).

exit status: 0 done, and nothing waits; 1 refused, or some steps failed; 2 done, and something waits; 3 not agreed to;
130 stopped by Ctrl-C
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection
from typing import TYPE_CHECKING

from stead.cli.commands import fence as fence_command
from stead.cli.commands.apply import NO, NO_PROOFS, carry_out, who
from stead.cli.common import options as shared
from stead.cli.common.approval import named
from stead.cli.common.fencing import agent_for, answers, fence, fencer_for, refuse_living
from stead.cli.common.loading import load
from stead.cli.common.workspace import BAD_OPTION, find, read_hosts
from stead.core.diagnostics import Code, Refused, has_errors
from stead.core.effect import Disruption
from stead.core.value import value
from stead.plan.evacuation import plan_evacuation
from stead.runner.fencing import FenceAction, Power

if TYPE_CHECKING:
    from stead.cli.common.loading import Loaded
    from stead.core.address import Address
    from stead.plan.model import Plan
    from stead.runner.fencing import Fencer
    from stead.site.inventory.fences import FenceAgent

UNPROVEN = Code("STEAD-C055", "nobody has proven that the host is dead")
WAITING = 2
SHOWN = 20  # of those that wait for consent


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("host", help="name of the host")
    parser.add_argument("--dry-run", action="store_true", help="show the plan, do nothing")
    parser.add_argument("--force", action="store_true", help="fence it also when it answers")
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
    host, loaded = options.host, load(find(options))
    if host in loaded.inputs.observed.hosts and answers(host, loaded.inputs.observed):
        if not options.force:
            refuse_living(host, loaded.inputs.observed)
        if status := fence_command.run(argparse.Namespace(**{**vars(options), "status": False, "quiet": True})):
            return status
        options.auto_approve = True  # it was asked and answered
        loaded = load(find(options))
    proof = _proof(options, loaded)
    planned, left, found = plan_evacuation(loaded.inputs, host, lossy=options.max_disruption == Disruption.DATA_LOSS)
    plan, blueprint = planned.plan, planned.blueprint
    if plan is None or blueprint is None or has_errors(found):
        raise Refused(*loaded.found, *found)
    _show(plan, left, loaded, options)
    if options.dry_run:
        return _status(0, plan, left)
    if not _agreed(options, proof):
        print("Nothing was done.", file=sys.stderr)
        return NO
    proofs = NO_PROOFS
    if proof.agent is not None and proof.needs_fencing:
        proofs = {host: fence(proof.fencer, proof.agent, who())}
    options.reason = options.reason or f"evacuation of {host}"
    return _status(carry_out(options, plan, loaded, blueprint.secrets, proofs), plan, left)


def _proof(options: argparse.Namespace, loaded: Loaded) -> Proof:
    workspace, known = find(options), loaded.inputs.recorded.hosts.get(options.host)
    inventory, _ = read_hosts(workspace)
    said = bool(options.confirm_dead)
    return Proof(
        recorded=known is not None and bool(known.dead),
        said=said,
        agent=None if said else agent_for(workspace, inventory, options.host),
        fencer=fencer_for(workspace, inventory),
    )


def _agreed(options: argparse.Namespace, proof: Proof) -> bool:
    """One answer is enough: who types the name of a host without an agent also says that it is off."""
    if options.auto_approve:
        if not (proof.recorded or proof.said or proof.agent):
            raise _unproven(options.host)
        return True
    if proof.recorded or proof.said:
        question = f"To start elsewhere what {options.host} ran, type its name: "
    elif proof.agent is not None:
        question = f"To cut the power of {options.host} and start elsewhere what it ran, type its name: "
    elif not sys.stdin.isatty():
        raise _unproven(options.host)
    else:
        question = f"It has no fence agent. If you have made sure that {options.host} is off, type its name: "
    return named(question, options.host)


def _unproven(host: str) -> Refused:
    text = (
        f"{host} does not answer, and may run on all the same. It has no fence agent (stead_fence in the inventory) "
        f"that could cut its power. Make sure that it is off, and say --confirm-dead {host}."
    )
    return Refused(UNPROVEN.at(None, text, address=host))


def _show(plan: Plan, left: Collection[Address], loaded: Loaded, options: argparse.Namespace) -> None:
    """Not with --json, which tells what was done; but for --dry-run, where that is the plan."""
    from stead.cli.common.planning import show

    options.format = None
    if options.json and not options.dry_run:
        return
    asking = not options.auto_approve and not options.dry_run  # nobody agrees to what was not shown
    shown = argparse.Namespace(**{**vars(options), "quiet": options.quiet and not asking})
    show(plan, shown, list(loaded.found), title=f"Evacuation of {options.host}")
    if left and not shown.quiet:
        names = ", ".join(str(one) for one in list(left)[:SHOWN])
        more = f" and {len(left) - SHOWN} more" if len(left) > SHOWN else ""
        print(
            f"{names}{more}: the data is on {options.host} alone, and would be lost. Not started elsewhere without "
            "--max-disruption data-loss.",
            file=sys.stderr,
        )


def _status(done: int, plan: Plan, left: Collection[Address]) -> int:
    return WAITING if done == 0 and (plan.waiting or left) else done
