# Copyright: Stead contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Does what a plan file says, exactly as `stead apply FILE` does: the same lock, journal and refusals.

Each step is told as it ends. In check mode nothing is done.
"""

from __future__ import annotations

import json
from typing import Any, Dict, Iterator, Mapping, Optional

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..plugin_utils.driving import OPTIONS, Stead, inputs

OWN = {
    "plan": {"type": "path", "required": True},
    "parallel": {"type": "int", "default": 0},
    "reason": {"type": "str"},
}


class ActionModule(ActionBase):
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        super().run(tmp, task_vars)
        _checked, given = self.validate_argument_spec({**OPTIONS, **OWN})
        with Stead(self._display) as stead:
            if self._task.check_mode:
                status, out, said = stead.run(["show", given["plan"], "--json"])
                if status:
                    raise AnsibleActionFail(said or told(out))
                return {"changed": bool(json.loads(out)["steps"]), "msg": "nothing is done in check mode"}
            words = ["apply", given["plan"], "--json", "--verbose", *inputs(given, task_vars or {}, stead)]
            for name in ("max_disruption", "parallel", "reason"):
                if given[name]:
                    words += ["--" + name.replace("_", "-"), str(given[name])]
            status, out, said = stead.run(words, aloud=True)
        try:
            made = json.loads(out)
        except ValueError as error:
            raise AnsibleActionFail(said or out or "stead apply ended with status {0}".format(status)) from error
        if "run" not in made:
            raise AnsibleActionFail(told(out))
        trouble = {name: made.pop(name) for name in ("failed", "unknown", "skipped")}
        result = dict(made, trouble=trouble, changed=bool(made["done"]))
        if status:
            result.update(failed=True, msg="\n".join(failures(result)))
        return result


def told(text: str) -> str:
    """What a refusal says, of its JSON."""
    try:
        found = json.loads(text)["diagnostics"]
    except (ValueError, KeyError):
        return text
    return "\n".join("[{0}] {1}: {2}".format(one["code"], one["summary"], one["detail"]) for one in found)


def failures(made: Mapping[str, Any]) -> Iterator[str]:
    yield "Run {0}: {1} of {2} steps done.".format(made["run"], made["done"], made["steps"])
    for what, steps in made["trouble"].items():
        for one in steps:
            yield "{0}: {1} {2} on {3}: {4}".format(what, one["action"], one["address"], one["host"], one["why"])
