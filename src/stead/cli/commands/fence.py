"""Cut the power of a host with its fence agent, and record the proof that it is off.

  stead fence compute-1                 when it does not answer; what it ran can then start elsewhere
  stead fence compute-1 --status        show what its agent reports; nothing is done
  stead fence compute-1 --force         even if it answers: its guests stop, as in a power cut

The inventory names the agent: stead_fence: {agent: fence_ipmilan, ip: 10.0.0.7, username: ops, password: !vault …}
An agent that reports `off` is a proof like `--confirm-dead compute-1`, until the host has booted and answers again.
`stead evacuate` fences automatically. `stead doctor` tests all agents and changes nothing.

exit status: 0 when the host is off, and that is recorded; with --status, when the agent says on or off; 1 when not;
3 not agreed to
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from stead.cli.commands.hosts import inventory_of
from stead.cli.common import options as shared
from stead.cli.common.applying import NO, who
from stead.cli.common.approval import named
from stead.cli.common.fencing import (
    agent_for,
    answers,
    fence,
    fencer_for,
    no_agent,
    refuse_living,
)
from stead.cli.common.rearranging import NO_SUCH_HOST
from stead.cli.common.workspace import Workspace, existing_state, key_to_keep, runner_for
from stead.core.diagnostics import Refused
from stead.health.fences import OTHER_MACHINE
from stead.runner.fencing import AGENT_FAILED, FenceAction

if TYPE_CHECKING:
    from stead.cli.common.request import Printing
    from stead.core.observed import Observed
    from stead.core.recorded import Recorded
    from stead.plan.model import Plan
    from stead.runner import Runner
    from stead.runner.fencing import Fencer
    from stead.site.inventory import Inventory
    from stead.site.inventory.fences import FenceAgent
    from stead.store import Store


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("host", help="name of the host in the inventory")
    parser.add_argument("--status", action="store_true", help="only ask the agent whether the host is on")
    parser.add_argument("--force", action="store_true", help="even if the host answers")
    parser.add_argument("--auto-approve", action="store_true", help="do not ask")
    shared.inputs(parser)
    shared.output(parser)


def run(options: argparse.Namespace) -> int:
    workspace, host = shared.workspace_of(options), options.host
    if options.status:
        _, fencer, agent = _fencing(workspace, host)
        return _status(fencer, agent, as_json=options.json)
    printing = shared.printing_of(options)
    return cut_power(workspace, host, printing, force=options.force, auto_approve=options.auto_approve)


def _fencing(workspace: Workspace, host: str) -> tuple[Inventory, Fencer, FenceAgent]:
    inventory = inventory_of(workspace)
    if host not in inventory.hosts:
        from stead.language.reading import nearest

        text = f"The inventory has no host {host!r}.{nearest(host, list(inventory.hosts))}"
        raise Refused(NO_SUCH_HOST.at(None, text))
    agent = agent_for(workspace, inventory, host)
    if agent is None:
        raise no_agent(host)
    return inventory, fencer_for(workspace, inventory), agent


def _status(fencer: Fencer, agent: FenceAgent, *, as_json: bool) -> int:
    said = fencer.ask(agent, FenceAction.STATUS)
    if said.power is None:
        raise Refused(AGENT_FAILED.at(None, f"{said.agent} of {agent.host}: {said.why}.", address=agent.host))
    print(json.dumps({"host": agent.host, "agent": said.agent, "power": said.power}) if as_json else said.power)
    return 0


def cut_power(workspace: Workspace, host: str, printing: Printing, *, force: bool, auto_approve: bool) -> int:
    from stead.core.recorded import NOTHING
    from stead.recovery.belonging import check

    inventory, fencer, agent = _fencing(workspace, host)
    store = existing_state(workspace)
    recorded = store.recorded() if store is not None else NOTHING
    runner = runner_for(workspace, inventory)
    observed = runner.observe(inventory.hosts, recorded)
    if refused := check(recorded, observed):
        raise Refused(*refused)
    if not force:
        refuse_living(host, observed)
    if not auto_approve and not named(f"To cut the power of {host}, type its name: ", host):
        print("Nothing was done.", file=sys.stderr)
        return NO
    proof = fence(fencer, agent, who())
    if answers(host, observed):
        observed = _gone(host, runner.observe(inventory.hosts, recorded), agent)
    if store is not None:
        _record(workspace, store, runner, _plan(host, observed, recorded), proof)
    told = {"host": host, "agent": agent.agent, "power": "off", "recorded": store is not None}
    if printing.json:
        print(json.dumps(told))
    elif not printing.quiet:
        print(f"{host} is off: {proof}. `stead evacuate {host}` starts elsewhere what it ran.")
    return 0


def _gone(host: str, observed: Observed, agent: FenceAgent) -> Observed:
    """Whoever answers is not the machine that was switched off."""
    if answers(host, observed):
        text = (
            f"{agent.agent} reports that it switched {host} off, but {host} still answers. It has switched off another "
            "machine: find out which one. Correct stead_fence in the inventory. Nothing was recorded."
        )
        raise Refused(OTHER_MACHINE.at(None, text, address=host))
    return observed


def _plan(host: str, observed: Observed, recorded: Recorded) -> Plan:
    """It does nothing on hosts but tell them that this one is dead."""
    from stead import __version__
    from stead.blueprint.silence import listen
    from stead.core.value import replace
    from stead.plan.build import digest_of
    from stead.plan.model import Made, Plan

    _, silence, wrong = listen(observed, recorded, frozenset({host}))
    if wrong:
        raise Refused(*wrong)
    made = Made(spec="", recorded=recorded.serial, observed=observed.digest, stead=__version__)
    # Who answers again stays what it is until a plan has looked at what it has.
    silence = replace(silence, dead=(host,), back=())
    plan = Plan(made=made, steps=(), keeps={}, outputs=recorded.outputs, silence=silence)
    return replace(plan, digest=digest_of(plan))


def _record(workspace: Workspace, store: Store, runner: Runner, plan: Plan, proof: str) -> None:
    from stead.plan.file import to_bytes
    from stead.run.apply import apply
    from stead.run.model import Options
    from stead.store.model import Outcome

    [host] = plan.silence.dead
    settings = Options(
        who=who(),
        reason=f"{host} was fenced",
        proofs={host: proof},
        site_key=key_to_keep(workspace),
        root=workspace.root,
        content=to_bytes(plan),
    )
    made = apply(plan, store, runner, now=plan.made, options=settings)
    if made.outcome is not Outcome.DONE:
        names = ", ".join(sorted(made.silent)) or "some hosts"
        print(f"{host} is off, and recorded as such; {names} could not be told. The next apply tells them.")
