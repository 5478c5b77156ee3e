# Copyright: Stead contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Asks the host of images that others take from it in a wave, and keeps the answer beside their steps.

A host that nobody takes an image from is not connected to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from ansible.plugins.action import ActionBase

from ..plugin_utils.answers import read, steps_with, write

IMAGES = ".images"  # the ending of an answer, beside those of a wave's other files


class ActionModule(ActionBase):
    _supports_check_mode = True

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        host, folder = task_vars["inventory_hostname"], self._task.args.get("src")
        if not folder:
            return dict(self._execute_module(task_vars=task_vars))
        uuids = sorted(taken_from(host, folder))
        if not uuids:
            return {"changed": False, "images": {}}
        answer: dict[str, Any] = self._execute_module(module_args={"uuids": uuids}, task_vars=task_vars)
        if "images" in answer:
            write(os.path.join(folder, host + IMAGES), answer["images"])
        return answer


def taken_from(host: str, folder: str) -> Iterator[str]:
    """Identities of the images that steps of this wave take from the host."""
    for _taker, step in steps_with(folder, '"kind": "images"'):
        want = step.get("want") or {}
        if step["kind"] == "images" and not want.get("keeps") and want.get("from", {}).get("host") == host:
            yield want["uuid"]


def told(host: str, folder: str) -> dict[str, Any]:
    """What the host said; nothing where it did not answer, or was not asked."""
    return dict(read(os.path.join(folder, host + IMAGES)) or {})
