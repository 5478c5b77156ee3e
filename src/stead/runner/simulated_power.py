"""The power of simulated hosts: who is told to switch one off does, unless `stead simulate` was told that it fails."""

from __future__ import annotations

from stead.runner.fencing import FenceAction, FenceAnswer, Power
from stead.runner.simulated_model import OFF, FaultKind
from stead.runner.simulated_state import SimulatedState
from stead.site.inventory.fences import FenceAgent


class SimulatedFencer:
    def __init__(self, state: SimulatedState) -> None:
        self._state = state

    def ask(self, agent: FenceAgent, action: FenceAction) -> FenceAnswer:
        with self._state.said():
            return self._asked(agent, action)

    def _asked(self, agent: FenceAgent, action: FenceAction) -> FenceAnswer:
        fault = next((one for one in self._state.faults() if _strikes(one.kind, one.host, agent.host)), None)
        if fault is not None:
            return FenceAnswer(agent.agent, None, fault.error)
        if action is FenceAction.OFF:
            self._state.set_state(agent.host, OFF, "its power was cut by its fence agent")
        row = self._state.know([agent.host])[agent.host]
        return FenceAnswer(agent.agent, Power.OFF if row.state == OFF else Power.ON)


def _strikes(kind: FaultKind, where: str, host: str) -> bool:
    return kind is FaultKind.FENCE and where in ("", host)
