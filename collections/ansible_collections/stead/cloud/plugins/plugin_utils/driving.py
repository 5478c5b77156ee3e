# Copyright: Stead contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Stead's own program, run by an action plugin with the Python that Ansible runs with.

A process of its own, since a plan takes memory and an apply takes hours, signals and a lock. Variables go through a
private file: what is in a process list is for everybody to read.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from typing import IO, Any, List, Mapping, Sequence, Tuple

from ansible.constants import CONFIG_FILE
from ansible.errors import AnsibleActionFail

CHANGES = 2
# Of both plugins, as the fragment `planning` documents them. Ansible makes of what is written what is meant: `no` in a
# variable is no text that counts as true, and one address is a list of one.
OPTIONS = {
    "spec": {"type": "list", "elements": "path", "default": ["."]},
    "inventory": {"type": "list", "elements": "path"},
    "store": {"type": "str"},
    "vars": {"type": "dict"},
    "var_files": {"type": "list", "elements": "path"},
    "vault_password_files": {"type": "list", "elements": "path"},
    "simulated": {"type": "bool", "default": False},
    "max_disruption": {"type": "str", "choices": ["none", "network", "migrate", "reboot", "rebuild", "data-loss"]},
}


class Stead:
    def __init__(self, display: Any) -> None:
        self._display = display
        self._folder = tempfile.mkdtemp(prefix="stead-task-")

    def __enter__(self) -> Stead:  # noqa: PYI034 - nobody derives from it
        return self

    def __exit__(self, *_error: object) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def private(self, name: str, value: Any) -> str:
        path = os.path.join(self._folder, name)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(value, file)
        return path

    def run(self, words: Sequence[str], aloud: bool = False) -> Tuple[int, str, str]:
        """(status, what it printed, what it said besides). `aloud` tells the latter line by line as it comes."""
        environment = dict(os.environ, NO_COLOR="1")
        if CONFIG_FILE:  # Stead itself looks for none beside the spec
            environment["ANSIBLE_CONFIG"] = str(CONFIG_FILE)
        process = subprocess.Popen(
            [sys.executable, "-m", "stead", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        said: List[str] = []
        listener = threading.Thread(target=self._listen, args=(process.stderr, said, aloud))
        listener.start()
        if process.stdout is None:  # which a pipe never is
            raise AssertionError
        out = process.stdout.read()
        listener.join()
        status = process.wait()
        if status == 1 and any("No module named stead" in line for line in said):
            raise AnsibleActionFail(
                "The Python package stead is not installed beside Ansible ({0}).".format(sys.executable)
            )
        return status, out, "".join(said).strip()

    def _listen(self, stream: IO[str], said: List[str], aloud: bool) -> None:
        for line in stream:
            said.append(line)
            if aloud:
                self._display.display(line.rstrip("\n"))


def inputs(given: Mapping[str, Any], task_vars: Mapping[str, Any], stead: Stead) -> List[str]:
    """Options of what a plan is made from. The inventory is the one of this very run, where none is named."""
    words = []
    for one in given["spec"]:
        words += ["--spec", one]
    for one in given["inventory"] or task_vars.get("ansible_inventory_sources") or []:
        words += ["--inventory", str(one)]
    if given["store"]:
        words += ["--store", given["store"]]
    for one in given["var_files"] or []:
        words += ["--var-file", one]
    if given["vars"]:
        words += ["--var-file", stead.private("variables.yml", given["vars"])]
    for one in given["vault_password_files"] or []:
        words += ["--vault-password-file", one]
    return words + (["--simulated"] if given["simulated"] else [])
