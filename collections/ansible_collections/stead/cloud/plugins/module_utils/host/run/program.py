"""What a controller asks a host for, by a module or by a command that does without one: each with the same words."""

from __future__ import annotations

import json
import sys
from typing import Any, Callable, Dict, Mapping

from ..base.errors import Failed
from ..observe.facts import observe as facts_of
from . import documents, origin
from .batch import FAILED, Batch, alone

Answer = Dict[str, Any]


def main() -> int:
    """Its arguments come by standard input, and its answer is a line of standard output."""
    told = json.load(sys.stdin)
    answer = CALLS[sys.argv[1]](told["arguments"], told["check"], told["diff"])
    sys.stdout.write("\n" + json.dumps(answer) + "\n")
    return 0


def converge(given: Mapping[str, Any], check: bool, diff: bool) -> Answer:
    payload = json.loads(given["payload"])
    try:
        if check:
            results, waits = Batch(payload, check=True).carry_out(), {}
        else:
            with alone():
                batch = Batch(payload)
                results, waits = batch.carry_out(), batch.waits()
    except Failed as error:
        return {"failed": True, "changed": False, "msg": str(error), "results": []}
    answer = {"changed": any(one["changed"] for one in results), "results": results, "waits": waits}
    if diff:
        done = {one["number"] for one in results}
        answer["diff"] = [difference(step) for step in payload["steps"] if step["number"] in done]
    failed = [one for one in results if one["status"] == FAILED]
    if failed:
        answer["failed"] = True
        answer["msg"] = "; ".join("{action} {address}: {error}".format(**one) for one in failed)
    return answer


def difference(step: Mapping[str, Any]) -> Dict[str, Any]:
    """Wants as planned, where a secret is a reference."""
    return {
        "before_header": step["address"],
        "after_header": step["address"],
        "before": json.dumps(step.get("have") or {}, indent=1, sort_keys=True) + "\n",
        "after": json.dumps(step.get("want") or {}, indent=1, sort_keys=True) + "\n",
    }


def observe(given: Mapping[str, Any], check: bool, _diff: bool) -> Answer:
    try:
        recorded = json.loads(given.get("recorded") or "[]")
        facts = facts_of(given.get("name") or "", given.get("pools"), not check, bool(given.get("afresh")), recorded)
        if given.get("examine"):
            from ..observe.health import examine  # by whoever asks: a plan looks only

            facts["examined"] = examine(**given["examine"])
        if given.get("recall"):
            facts["key"] = origin.key()
            facts["kept"] = documents.kept(facts["origin"]["site"], []) if facts["origin"] else {}
        if given.get("strangers"):
            from ..observe.strangers import strangers

            facts["strangers"] = strangers()
    except Failed as error:
        return {"failed": True, "changed": False, "msg": str(error)}
    return {"changed": False, "facts": facts}


CALLS: Dict[str, Callable[[Mapping[str, Any], bool, bool], Answer]] = {"converge": converge, "observe": observe}
