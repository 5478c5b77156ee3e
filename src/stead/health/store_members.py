"""Whether all controllers that keep the store together do so, and one of them takes writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stead.core.diagnostics import Code, Diagnostic, Severity
from stead.runner.observe import Answer
from stead.site.inventory.serving import ApiSettings

NO_LEADER = Code("STEAD-H074", "no controller takes writes to the store")
INCOMPLETE = Code("STEAD-H075", "the store outlives fewer failures than it should", Severity.WARNING)
LEADER, BEHIND = "Leader", 16  # MiB
WELL = ("running", "streaming")
LOOK = "`patronictl -c /etc/patroni/config.yml list` and `journalctl -u patroni -u etcd` there say more."


def diagnosed(serving: Mapping[str, ApiSettings], answers: Mapping[str, Answer]) -> Iterator[Diagnostic]:
    keepers = sorted(name for name, one in serving.items() if one.address)
    told = {name: _told(answers.get(name)) for name in keepers}
    members = next((one["members"] for one in told.values() if "members" in one), None)
    if not keepers:
        return
    if members is None:
        whys = [f"{name}: {one.get('why', 'it does not answer')}." for name, one in told.items()]
        yield NO_LEADER.at(None, f"{' '.join(whys)} {LOOK}", address=keepers[0])
        return
    if not any(one["role"] == LEADER for one in members.values()):
        yield NO_LEADER.at(None, f"More than half of {', '.join(keepers)} have to be on. {LOOK}", address=keepers[0])
    for name in keepers:
        if why := _wrong(members.get(name)):
            text = f"{name} {why}. If it is lost, make it anew under its name and address, and run `stead bootstrap`. "
            yield INCOMPLETE.at(None, text + LOOK, address=name)


def _told(answer: Answer | None) -> Mapping[str, Any]:
    found: Mapping[str, Any] = answer.facts.get("examined", {}).get("store", {}) if answer and answer.answered else {}
    return found


def _wrong(member: Mapping[str, Any] | None) -> str:
    if member is None:
        return "is no member of it"
    if member["state"] not in WELL:
        return f"is {member['state']}"
    if member["role"] != LEADER and (member["lag"] is None or member["lag"] > BEHIND):
        return "does not follow" if member["lag"] is None else f"is {member['lag']} MiB behind"
    return ""
