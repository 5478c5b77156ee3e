"""`stead_fence` of a host: which agent of Debian's `fence-agents` cuts its power, and with which options.

Read only when a host is fenced or its agent is tried: the options hold secrets, which a plan has no use for. They are
opened with the passwords of Ansible Vault that were given, and go to nobody but the agent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from stead.core.diagnostics import Code, Refused
from stead.core.fields import Secret
from stead.core.named import NamedTuple
from stead.core.value import field, value
from stead.site.inventory.yaml_source import Vaulted

BAD_FENCE = Code("STEAD-H033", "invalid declaration of a fence agent")
FENCE = "stead_fence"
AGENT = "agent"
# An agent reads `name=value` lines, so a value of two lines would be two options.
_AGENT = re.compile(r"(/\S*/)?[a-z][a-z0-9_-]*")
_OPTION = re.compile(r"[a-z][a-z0-9_-]*")
_LINE = re.compile(r"[^\x00-\x1f\x7f]*")
OURS = frozenset({"action", "o", "option"})  # what the agent is to do, under all its names
_ANSIBLES = "__ansible_vault"  # as `ansible-inventory` prints a vaulted value


class FenceVariables(NamedTuple):
    """All variables of a host that has a fence: its options may be templates over them."""

    host: str
    groups: frozenset[str]
    variables: Mapping[str, Any]


@value
class FenceAgent:
    host: str
    agent: str  # a name to be looked up, or a path
    options: Mapping[str, str] = field(repr=False)
    secrets: tuple[Secret, ...] = ()  # of those: what was vaulted, and what is called a password


def agent_of(told: FenceVariables, passwords: Sequence[Secret]) -> FenceAgent:
    """Refuses what no agent could understand."""
    opening = _Opening(told.host, passwords)
    given = _rendered(told, opening)
    if not isinstance(given, Mapping) or not isinstance(given.get(AGENT), str):
        raise _wrong(told.host, "is no mapping with an agent: write {agent: fence_ipmilan, ip: 10.0.0.7, …}")
    if not _AGENT.fullmatch(given[AGENT]):
        raise _wrong(told.host, f"has agent {given[AGENT]!r}: write the name of a program, or its whole path")
    options = {str(name): _text(told.host, str(name), one) for name, one in given.items() if name != AGENT}
    named = [Secret(one) for name, one in options.items() if one and re.search("pass|secret|token|key", name)]
    return FenceAgent(host=told.host, agent=given[AGENT], options=options, secrets=(*opening.secrets, *named))


def _rendered(told: FenceVariables, opening: _Opening) -> Any:
    from stead.site.inventory.templates import Unknown, render

    given = opening.all(told.variables[FENCE])
    if "{{" not in repr(given):
        return given
    scope = {name: opening.all(one) for name, one in told.variables.items() if name != FENCE}
    scope |= {"inventory_hostname": told.host, "group_names": sorted(told.groups - {"all"})}
    try:
        return render(given, scope)
    except Unknown:  # its words would quote the value, in which secrets may be rendered already
        raise _wrong(told.host, "has a template that cannot be rendered from the inventory alone") from None


class _Opening:
    """Values with all that is vaulted in them opened, and remembered as secret."""

    def __init__(self, host: str, passwords: Sequence[Secret]) -> None:
        self._host, self._passwords = host, passwords
        self.secrets: list[Secret] = []

    def all(self, given: Any) -> Any:
        match given:
            case Vaulted(text=text):
                return self._opened(text)
            case Mapping() if set(given) == {_ANSIBLES}:
                return self._opened(str(given[_ANSIBLES]))
            case Mapping():
                return {name: self.all(one) for name, one in given.items()}
            case list():
                return [self.all(one) for one in given]
            case _:
                return given

    def _opened(self, text: str) -> str:
        from stead.language.vault import NOT_OPENED, opened

        if not self._passwords:
            raise _wrong(self._host, "is vaulted: give --vault-password-file, or ANSIBLE_VAULT_PASSWORD_FILE")
        secret = opened(text, self._passwords)
        if secret is None:
            raise _wrong(self._host, f"is vaulted. {NOT_OPENED}")
        self.secrets.append(secret)
        return secret.reveal()


def _text(host: str, name: str, given: Any) -> str:
    """As agents read it: 1 and 0 are their yes and no."""
    if not _OPTION.fullmatch(name) or name in OURS:
        raise _wrong(host, f"has {name!r}, which is no option that an inventory says")
    if isinstance(given, bool):
        return str(int(given))
    if not isinstance(given, str | int | float) or not _LINE.fullmatch(str(given)):
        raise _wrong(host, f"has an option {name} that is no text of one line")
    return str(given)


def _wrong(host: str, what: str) -> Refused:
    return Refused(BAD_FENCE.at(None, f"{FENCE} of {host} {what}".rstrip(".") + ".", address=host))
