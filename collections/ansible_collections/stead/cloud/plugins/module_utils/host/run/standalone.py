"""One resource by its own module: the same host code as the steps of a plan, without a plan.

Identities that a plan would choose are derived from the address, so the same task always means the same resource.
"""

from __future__ import annotations

import json
import re
import uuid
from hashlib import blake2b
from types import MappingProxyType
from typing import Any, Callable, Dict, Mapping, NamedTuple, Optional

from ..base import ledger
from ..base.errors import Failed, FailureCode
from ..base.step import HostStep, Want
from .batch import OK, Batch, alone

BAD_NAME = FailureCode("STEAD-E016", "not a name")
BAD_SIZE = FailureCode("STEAD-E017", "not a size")

_IDS = uuid.UUID("b6ad5f0e-8b0f-4d3a-9c53-0d8f6f6f0c11")
_UNITS = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_SIZE = re.compile(r"(\d+)\s*(KiB|MiB|GiB|TiB|)\Z")
# A name becomes part of others: of a domain, of a host, of an address.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\Z")
ABSENT = "absent"


class Hidden(NamedTuple):
    """What a task is given and nothing shows."""

    secrets: Mapping[str, str] = MappingProxyType({})  # that its want refers to
    handed: Mapping[str, str] = MappingProxyType({})  # of volumes that other hosts serve


NOTHING_HIDDEN = Hidden()


def address_of(project: str, kind: str, name: str) -> str:
    return "/".join([project, kind, name] if project else [kind, name])


def named(text: str) -> str:
    if not _NAME.match(text):
        raise Failed(BAD_NAME, "{0!r} is not a name. Write letters, digits, dashes, dots and underscores.".format(text))
    return text


def uuid_of(address: str) -> str:
    return str(uuid.uuid5(_IDS, address))


def mac_of(address: str) -> str:
    """Of a resource that was given none: unicast, and QEMU's own range."""
    return "52:54:" + ":".join("{0:02x}".format(one) for one in blake2b(address.encode(), digest_size=4).digest())


def size(text: object) -> int:
    """`10GiB`, as the spec writes it."""
    match = _SIZE.match(str(text).strip())
    if match is None:
        raise Failed(BAD_SIZE, "{0!r} is not a size. Write 512MiB, 10GiB or 2TiB.".format(text))
    return int(match.group(1)) * _UNITS[match.group(2)]


def passed(given: Mapping[str, Any], words: Mapping[str, Any]) -> Dict[str, Any]:
    """Of a want, what a task says in the same words; `words` is of the generated arguments. What is left out, is."""
    return {
        name: _valued(given[name], form) for name, form in words.items() if given.get(name) not in (None, "", [], {})
    }


def _valued(value: Any, form: Any) -> Any:
    if isinstance(form, dict):
        return passed(value, form)
    return size(value) if form == "size" else value


def attached(volume: Mapping[str, Any]) -> Dict[str, Any]:
    """Of a volume's want, what one that uses it is told."""
    return {name: volume[name] for name in ("format", "pool", "qos", "shareable", "uuid") if name in volume}


def carry_out(
    module: Any,
    address: str,
    want: Optional[Want],
    action: Optional[str] = None,
    part: Optional[Callable[[Want], Want]] = None,
    hidden: Hidden = NOTHING_HIDDEN,
) -> None:
    """Ends the module. `want` is nothing for what should not be there. `part` is what of a want the task is about."""
    kind = address.split("/")[-2]
    identity = want["uuid"] if want else uuid_of(address)
    try:
        for name in ("project", "name"):
            named(module.params.get(name) or "none")
        made = ledger.read(kind, identity)
        before = made["want"] if made else {}
        step: HostStep = {
            "number": 0,
            "address": address,
            "kind": kind,
            "action": action or _action(before, want),
            "uuid": identity,
            "digest": made["digest"] if made and want and want == before else digest_of(want),
            "want": want,
            "have": before or None,
            "after": [],
            "to": "",
            "secrets": sorted(hidden.secrets),
        }
        result = _result(module, step, hidden)
    except Failed as error:
        module.fail_json(msg=str(error))
    told, wanted = (part or dict)(before), (part or dict)(want or {})
    answer = {"uuid": identity, "before": told, "after": wanted, "done": result["done"]}
    if "ready" in result:
        answer["ready"] = result["ready"]
    if module._diff:  # noqa: SLF001 - Ansible has no public name for it
        answer["diff"] = {"before": shown(told), "after": shown(wanted)}
    if result["status"] != OK:
        module.fail_json(msg=result["error"], changed=result["changed"], **answer)
    module.exit_json(changed=result["changed"], **answer)


def _action(before: Want, want: Optional[Want]) -> str:
    if not want:
        return "destroy"
    return "update" if before and before != want else "create"


def _result(module: Any, step: HostStep, hidden: Hidden) -> Dict[str, Any]:
    payload: Dict[str, Any] = {"host": module.params.get("host") or "", "run": "module", "steps": [step]}
    payload.update(hidden._asdict())
    payload["underlay"] = module.params.get("serve_at") or ""
    if module.check_mode:
        (answer,) = Batch(payload, check=True).carry_out()
        return answer
    with alone():
        while True:
            batch = Batch(payload)
            results = batch.carry_out()
            if results:
                return results[0]
            payload["waits"] = batch.waits()


def digest_of(want: Optional[Want]) -> str:
    return blake2b(json.dumps(want, sort_keys=True).encode(), digest_size=16).hexdigest() if want else ""


def shown(value: Any) -> str:
    return json.dumps(value, indent=1, sort_keys=True) + "\n" if value else ""
