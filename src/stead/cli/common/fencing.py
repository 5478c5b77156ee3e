"""What `fence`, `evacuate` and `doctor` have in common: a host's fence agent, its power cut, and the proof recorded.

The proof is recorded like a person's word that the host is dead, in a run of its own or in the one that follows: every
host that answers is told of it before anything is started elsewhere.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from stead.cli.common.workspace import SIMULATION, Workspace, is_simulated, made_directory, passwords
from stead.core.by_hand import ON
from stead.core.diagnostics import Code, Diagnostic, Refused
from stead.runner.fencing import FenceAction, FenceAnswer, Fencer, Power, cut_power
from stead.site.inventory.fences import FenceAgent, agent_of

if TYPE_CHECKING:
    from stead.core.observed import Observed
    from stead.site.inventory import Inventory

NO_AGENT = Code("STEAD-H032", "the host has no fence agent")
ANSWERS = Code("STEAD-H036", "the host answers, so its power is not cut")
NAMED = 8  # of what runs on a host
AT_ONCE = 16  # agents: a management board takes seconds to answer


def fencer_for(workspace: Workspace, inventory: Inventory) -> Fencer:
    if is_simulated(workspace, inventory):
        from stead.runner.simulated_power import SimulatedFencer
        from stead.runner.simulated_state import SimulatedState

        return SimulatedFencer(SimulatedState(made_directory(workspace) / SIMULATION))
    from stead.runner.fencing import AgentFencer

    return AgentFencer()


def agent_for(workspace: Workspace, inventory: Inventory, host: str) -> FenceAgent | None:
    told = inventory.fences.get(host)
    return agent_of(told, [one.secret for one in passwords(workspace.vault_files)]) if told is not None else None


def no_agent(host: str) -> Refused:
    text = (
        f"The inventory has no stead_fence for {host}, so Stead cannot cut its power (docs/dead-hosts.md). "
        f"Switch it off by hand, and use `--confirm-dead {host}` to plan, apply or evacuate."
    )
    return Refused(NO_AGENT.at(None, text, address=host))


def refuse_living(host: str, observed: Observed) -> None:
    """It may run guests, and they would lose their power with it."""
    if not answers(host, observed):
        return
    names = sorted(_running(host, observed))
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    runs = f"It runs {', '.join(names[:NAMED])}{more}." if names else "It runs nothing of Stead's, as far as it says."
    text = (
        f"{host} answers. {runs} Empty it with `stead drain {host}`; or use --force to cut its power anyway: then "
        "what runs there stops as in a power cut."
    )
    raise Refused(ANSWERS.at(None, text, address=host))


def answers(host: str, observed: Observed) -> bool:
    there = observed.hosts[host]
    return there.state.answers or there.blind


def _running(host: str, observed: Observed) -> Iterator[str]:
    for address, on in observed.haves.items():
        if (have := on.get(host)) is not None and have.want.fields().get("state") in ON:
            yield str(address)


def fence(fencer: Fencer, agent: FenceAgent, who: str) -> str:
    """Cuts the power and returns the proof, in words."""
    print(f"{agent.agent} cuts the power of {agent.host} …", file=sys.stderr, flush=True)
    said = cut_power(fencer, agent)
    return proof_of(said, who)


def proof_of(said: FenceAnswer, who: str) -> str:
    return f"{who} with {said.agent}, which said {said.power} at {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}"


def tried(workspace: Workspace, inventory: Inventory) -> tuple[dict[str, FenceAnswer], list[Diagnostic]]:
    """What each agent says of its host's power, which harms nobody; and which of them are declared wrong."""
    from concurrent.futures import ThreadPoolExecutor

    agents, found = [], list[Diagnostic]()
    for host in inventory.fences:
        try:
            if (agent := agent_for(workspace, inventory, host)) is not None:
                agents.append(agent)
        except Refused as refused:
            found += refused.diagnostics
    fencer = fencer_for(workspace, inventory)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        said = list(pool.map(lambda one: fencer.ask(one, FenceAction.STATUS), agents))
    return {agent.host: one for agent, one in zip(agents, said, strict=True)}, found


def is_off(fencer: Fencer, agent: FenceAgent) -> bool:
    return fencer.ask(agent, FenceAction.STATUS).power is Power.OFF
