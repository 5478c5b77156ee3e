# Copyright: Stead contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Makes a plan on the controller, exactly as `stead plan` does: in a process of its own, and shows it."""

from __future__ import annotations

from typing import Any, Dict, Optional

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..plugin_utils.driving import CHANGES, OPTIONS, Stead, inputs

MODES = {"destroy": "--destroy", "refresh_only": "--refresh-only"}
SELECTION = ("target", "exclude", "project", "label", "replace", "confirm_dead")
OWN = {
    **{name: {"type": "list", "elements": "str"} for name in SELECTION},
    **{name: {"type": "bool", "default": False} for name in MODES},
    "dest": {"type": "path"},
}


class ActionModule(ActionBase):
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        super().run(tmp, task_vars)
        _checked, given = self.validate_argument_spec({**OPTIONS, **OWN})
        with Stead(self._display) as stead:
            words = ["plan", "--detailed-exitcode", *inputs(given, task_vars or {}, stead)]
            words += [option for name, option in MODES.items() if given[name]]
            for name in SELECTION:
                for one in given[name] or []:
                    words += ["--" + name.replace("_", "-"), one]
            if given["max_disruption"]:
                words += ["--max-disruption", given["max_disruption"]]
            if given["dest"]:
                words += ["--out", given["dest"]]
            status, out, said = stead.run(words)
        if status not in (0, CHANGES):
            raise AnsibleActionFail(said or out)
        self._display.display(out.rstrip("\n"))
        return {
            "changed": status == CHANGES,
            "stdout": out,
            "stdout_lines": out.splitlines(),
            "remarks": said.splitlines(),
            "dest": given["dest"] or "",
        }
