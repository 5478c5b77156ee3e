"""Fence agents: what goes to them, and that nothing counts for proof but their own word `off`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stead.core.diagnostics import Refused
from stead.core.fields import Secret
from stead.health.fences import diagnosed
from stead.runner.fencing import AgentFencer, FenceAction, FenceAnswer, Power, cut_power
from stead.site.inventory import read_inventory
from stead.site.inventory.fences import FenceAgent, FenceVariables, agent_of

Agent = Callable[[str], FenceAgent]
WORD = "hunter2"


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    """An agent that keeps its command line and its input, and then does this."""

    def make(script: str) -> FenceAgent:
        path = tmp_path / "fence_told"
        path.write_text(f'#!/bin/sh\necho "$0 $*" >{tmp_path}/argv\ncat >{tmp_path}/told\n{script}\n')
        path.chmod(0o755)
        told = {"stead_fence": {"agent": str(path), "ip": "10.0.0.7", "password": WORD, "lanplus": True}}
        return agent_of(FenceVariables("c1", frozenset(), told), [])

    return make


def quiet(_seconds: float) -> None:
    pass


def test_options_go_by_standard_input_and_never_by_the_command_line(agent: Agent, tmp_path: Path) -> None:
    said = AgentFencer().ask(agent("echo Status: ON"), FenceAction.STATUS)
    assert said.power is Power.ON
    assert (tmp_path / "told").read_text() == f"ip=10.0.0.7\npassword={WORD}\nlanplus=1\naction=status\n"
    assert (tmp_path / "argv").read_text().split()[1:] == []


@pytest.mark.parametrize(
    ("script", "power"),
    [
        ("echo Status: OFF; exit 2", Power.OFF),
        ("echo Status: ON", Power.ON),
        ("exit 2", None),  # what agents answer to bad arguments, too
        ("echo Status: OFF", None),
        ("echo Status: ON; exit 2", None),
        ("echo is it Status: OFF; exit 2", None),
        ("exit 1", None),
    ],
)
def test_only_a_status_in_words_and_by_its_exit_counts(agent: Agent, script: str, power: Power | None) -> None:
    assert AgentFencer().ask(agent(script), FenceAction.STATUS).power is power


def refusal(agent: FenceAgent) -> tuple[str, str]:
    with pytest.raises(Refused) as refused:
        cut_power(AgentFencer(), agent, sleep=quiet)
    [found] = refused.value.diagnostics
    return found.code, found.detail


def test_an_agent_that_fails_is_told_without_its_secrets(agent: Agent) -> None:
    code, detail = refusal(agent(f"echo login failed for ops:{WORD} >&2; exit 1"))
    assert code == "STEAD-H034"
    assert "login failed for ops:(secret)" in detail
    assert WORD not in detail + repr(agent(""))


def test_an_agent_that_is_not_there_is_told(agent: Agent) -> None:
    from stead.core.value import replace

    code, detail = refusal(replace(agent(""), agent="fence_of_nobody"))
    assert code == "STEAD-H034"
    assert "fence-agents" in detail


def test_off_without_a_status_that_says_so_is_no_proof(agent: Agent, tmp_path: Path) -> None:
    code, detail = refusal(agent(f"grep -q action=off {tmp_path}/told && exit 0; echo Status: ON"))
    assert code == "STEAD-H035"
    assert "says that it is on" in detail


def test_a_board_that_says_on_for_a_moment_more_is_asked_again(agent: Agent, tmp_path: Path) -> None:
    script = (
        f"grep -q action=off {tmp_path}/told && exit 0\n"
        f"if mkdir {tmp_path}/asked 2>/dev/null; then echo Status: ON; exit 0; fi; echo Status: OFF; exit 2"
    )
    assert cut_power(AgentFencer(), agent(script), sleep=quiet).power is Power.OFF


WRONG: list[Any] = [
    "fence_ipmilan",
    {"ip": "10.0.0.7"},
    {"agent": "rm -rf"},
    {"agent": "./fence_here"},
    {"agent": "fence_x", "action": "off"},
    {"agent": "fence_x", "ip": "a\naction=on"},
    {"agent": "fence_x", "ip": ["a"]},
    {"agent": "fence_x", "ip": "{{ nothing }}"},
    {"agent": "fence_x", "password": {"__ansible_vault": "$ANSIBLE_VAULT;1.1;AES256\n00"}},
]


@pytest.mark.parametrize("given", WRONG, ids=str)
def test_what_no_agent_could_be_told_is_refused(given: Any) -> None:
    with pytest.raises(Refused) as refused:
        agent_of(FenceVariables("c1", frozenset(), {"stead_fence": given}), [])
    assert [one.code for one in refused.value.diagnostics] == ["STEAD-H033"]


def test_vaulted_options_and_templates_over_them_are_opened_for_the_agent_alone(tmp_path: Path) -> None:
    from ansible.parsing.vault import VaultLib, VaultSecret

    sealed = VaultLib([("default", VaultSecret(b"key"))]).encrypt(WORD).decode()
    indented = "\n".join(f"      {line}" for line in sealed.splitlines())
    path = tmp_path / "inventory.yml"
    path.write_text(
        f"compute:\n  hosts: {{c1: , c2: }}\n  vars:\n    board: !vault |\n{indented}\n"
        '    stead_fence: {agent: fence_ipmilan, ip: "{{ inventory_hostname }}-mgmt", password: "{{ board }}"}\n'
    )
    inventory, found = read_inventory([path])
    assert found == []
    agent = agent_of(inventory.fences["c2"], [Secret("key")])
    assert agent.options == {"ip": "c2-mgmt", "password": WORD}
    assert WORD not in repr(agent) + repr(inventory)
    assert Secret(WORD) in agent.secrets
    with pytest.raises(Refused, match="None of the given passwords opens it"):
        agent_of(inventory.fences["c1"], [Secret("other")])


def test_the_doctor_tells_agents_that_fail_are_mixed_up_or_have_a_host_that_hangs() -> None:
    said = {
        "c1": FenceAnswer("fence_x", Power.ON),
        "c2": FenceAnswer("fence_x", Power.OFF),
        "c3": FenceAnswer("fence_x", None, "no route"),
        "c4": FenceAnswer("fence_x", Power.ON),
        "c5": FenceAnswer("fence_x", Power.OFF),
    }
    found = {one.address: one.code for one in diagnosed(said, {"c1", "c2", "c3"})}
    assert found == {"c2": "STEAD-H037", "c3": "STEAD-H034", "c4": "STEAD-H038"}
