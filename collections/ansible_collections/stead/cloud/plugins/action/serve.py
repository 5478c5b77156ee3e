# Copyright: Stead contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Brings to a controller what `stead serve` is to run with: the running Stead, the site's files, an inventory.

The program is sent only to a host that does not have it.
"""

from __future__ import annotations

import os
import tempfile
from typing import Any, Dict, Optional

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

PROGRAMS = "/usr/lib/stead/serve"


class ActionModule(ActionBase):
    _supports_check_mode = True

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        super().run(tmp, task_vars)
        try:
            from stead.core.diagnostics import Refused
            from stead.site import program, serving
        except ImportError as error:
            raise AnsibleActionFail("The Python package stead is not installed beside Ansible.") from error
        wanted = program.program()
        given = dict(self._task.args)
        sources = (task_vars or {}).get("ansible_inventory_sources") or []
        try:
            given["inventory"] = serving.inventory(sources, given.get("logins") or {})
            given["site"] = serving.files(given.get("site") or "", sources)
        except Refused as error:
            raise AnsibleActionFail(str(error)) from error
        given["program"] = {"digest": wanted.digest, "python": wanted.python, "machine": wanted.machine}
        answer = self._call(given, task_vars)
        if answer.get("missing"):
            with tempfile.NamedTemporaryFile(suffix=".tar.gz") as file:
                program.write(wanted, "{0}/{1}".format(PROGRAMS, wanted.digest), file)
                file.flush()
                shell = self._connection._shell  # noqa: SLF001 - as every action plugin does
                if shell.tmpdir is None:
                    self._make_tmp_path()
                given["archive"] = shell.join_path(shell.tmpdir, os.path.basename(file.name))
                self._transfer_file(file.name, given["archive"])
                answer = self._call(given, task_vars)
        self._remove_tmp_path(self._connection._shell.tmpdir)  # noqa: SLF001
        return answer

    def _call(self, given: Dict[str, Any], task_vars: Optional[Dict[str, Any]]) -> Dict[str, Any]:
        answer: Dict[str, Any] = self._execute_module(module_args=given, task_vars=task_vars)
        answer.pop("invocation", None)  # all files of the site
        return answer
