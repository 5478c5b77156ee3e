# Copyright: Stead contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keeps a host's facts in a file of the controller's as soon as they are here, or why there are none.

They are too large and too private for a log."""

from __future__ import annotations

import os
import time
from typing import Any, Dict, Optional

from ansible.plugins.action import ActionBase

from ..plugin_utils.answers import write
from ..plugin_utils.host_code import call


class ActionModule(ActionBase):
    _supports_check_mode = True

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        super().run(tmp, task_vars)
        host = (task_vars or {})["inventory_hostname"]
        arguments = dict(self._task.args, name=host)
        folder = arguments.pop("dest", None)
        if not folder:
            answer: Dict[str, Any] = self._execute_module(module_args=arguments, task_vars=task_vars)
            return answer
        arguments["recorded"] = recorded(os.path.join(folder, host + ".recorded"))
        sent = time.time()
        try:
            answer = call(self, "observe", arguments, task_vars)
        except BaseException as error:  # that time is up is no Exception
            write(os.path.join(folder, host + ".json"), {"why": str(error)})
            raise
        answer.pop("invocation", None)
        if "facts" in answer:
            # When it was asked and had answered, by this clock: the host's own is somewhere between.
            facts = dict(answer.pop("facts"), asked=sent, answered=time.time())
            write(os.path.join(folder, host + ".json"), facts)
        else:
            write(os.path.join(folder, host + ".json"), {"why": str(answer.get("msg", ""))})
        return answer


def recorded(path: str) -> Any:
    """What the controller's store has of this host, and the host did not say. Few are asked for anything."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None
