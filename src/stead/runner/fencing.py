"""Asks the fence agent of a host to cut its power, and what the power is: `fence-agents` of Debian, or any like them.

Options go over standard input, never the command line, which all users of the machine can read. Only the agent's own
word is proof: its status says off both by its exit status and in words, since a call that it does not understand has
the same exit status.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from stead.core.diagnostics import Code, Refused
from stead.core.named import NamedTuple
from stead.site.inventory.fences import FenceAgent

AGENT_FAILED = Code("STEAD-H034", "the fence agent of a host failed")
STILL_ON = Code("STEAD-H035", "the fence agent does not say that the host is off")

PLACES = "/usr/sbin:/sbin:/usr/local/sbin"  # where packages put agents; a person's PATH may lack it
PATIENCE = 180  # seconds for an answer: a management board that is slow to log in, and a host that is slow to go off
TRIES, PAUSE = 5, 2.0  # of the status after the power was cut: some boards say `on` for a moment more
SHOWN = 400  # characters of what an agent complains
_OFF, _ON = 2, 0  # exit status of `status`


class Power(StrEnum):
    ON = "on"
    OFF = "off"


class FenceAction(StrEnum):
    OFF = "off"
    STATUS = "status"


class FenceAnswer(NamedTuple):
    """What an agent said. Neither on nor off: why it is not known."""

    agent: str
    power: Power | None
    why: str = ""


class Fencer(Protocol):
    def ask(self, agent: FenceAgent, action: FenceAction) -> FenceAnswer:
        """Of `off`, only whether the agent did as it was told is known; what the power is, `status` says."""


class AgentFencer:
    def ask(self, agent: FenceAgent, action: FenceAction) -> FenceAnswer:
        path = shutil.which(agent.agent, path=f"{os.environ.get('PATH', '')}:{PLACES}")
        if path is None:
            text = f"there is no program {agent.agent} here. Debian's package fence-agents has the usual ones"
            return FenceAnswer(agent.agent, None, text)
        lines = "".join(f"{name}={value}\n" for name, value in {**agent.options, "action": str(action)}.items())
        try:
            done = subprocess.run([path], input=lines, capture_output=True, text=True, check=False, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            return FenceAnswer(agent.agent, None, f"it said nothing within {PATIENCE} s")
        except (OSError, UnicodeDecodeError) as error:
            return FenceAnswer(agent.agent, None, f"it cannot be run: {error}")
        if action is FenceAction.OFF:
            return FenceAnswer(agent.agent, Power.OFF if done.returncode == 0 else None, _complaint(agent, done))
        said = re.search(r"^Status: (ON|OFF)\s*$", done.stdout, re.MULTILINE)
        power = {(_ON, "ON"): Power.ON, (_OFF, "OFF"): Power.OFF}.get((done.returncode, said[1] if said else ""))
        return FenceAnswer(agent.agent, power, "" if power else _complaint(agent, done))


def _complaint(agent: FenceAgent, done: subprocess.CompletedProcess[str]) -> str:
    """Its last words, without what must not be seen."""
    text = " ".join((done.stderr.strip() or done.stdout.strip()).split())
    for secret in agent.secrets:
        text = text.replace(secret.reveal(), "(secret)") if secret.reveal() else text
    return f"exit status {done.returncode}" + (f": {text[-SHOWN:]}" if text else "")


def cut_power(fencer: Fencer, agent: FenceAgent, *, sleep: Callable[[float], None] = time.sleep) -> FenceAnswer:
    """Off, and seen to be off. Refuses where the agent does not say so."""
    told = fencer.ask(agent, FenceAction.OFF)
    if told.power is None:
        text = (
            f"{agent.agent} of {agent.host}: {told.why}. Its power state is not known: nothing is started elsewhere. "
            f"`stead doctor` tries the agent without harm. Switch {agent.host} off yourself, and use "
            f"`--confirm-dead {agent.host}`."
        )
        raise Refused(AGENT_FAILED.at(None, text, address=agent.host))
    said = fencer.ask(agent, FenceAction.STATUS)
    for _ in range(TRIES - 1):
        if said.power is Power.OFF:
            break
        sleep(PAUSE)
        said = fencer.ask(agent, FenceAction.STATUS)
    if said.power is not Power.OFF:
        word = f"says that it is {said.power}" if said.power else f"does not say what its power is: {said.why}"
        text = (
            f"{agent.agent} was told to switch {agent.host} off, but {word}. Nothing is started elsewhere. Is the "
            f"option that names the machine (plug, port, ip) right?"
        )
        raise Refused(STILL_ON.at(None, text, address=agent.host))
    return said
