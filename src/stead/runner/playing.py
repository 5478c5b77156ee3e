"""One run of ansible-playbook: its process, its log, its end.

In a session of its own, so that Ctrl-C at the terminal reaches Stead alone, which lets the running steps end. Results
do not come this way: what the log says is for people.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

from stead.named import NamedTuple

TAIL = 1000  # characters of the log that say why Ansible failed

# What a user has set in the environment wins.
SETTINGS = {
    # Alive is asked of every connection, also of one that was shared before the host's power was cut: it is missed else
    # only when TCP gives up, a quarter of an hour later.
    "ANSIBLE_SSH_ARGS": "-o ControlMaster=auto -o ControlPersist=60s -o ServerAliveInterval=3 -o ServerAliveCountMax=3",
    "ANSIBLE_TIMEOUT": "8",
    "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",  # looking for one costs a round trip to each host
    # A module and all its arguments then go through the connection's own pipe: one round trip, and no file on the host.
    "ANSIBLE_PIPELINING": "1",
    "ANSIBLE_NOCOLOR": "1",
    "ANSIBLE_NOCOWS": "1",
    "ANSIBLE_RETRY_FILES_ENABLED": "0",
    "ANSIBLE_DEPRECATION_WARNINGS": "0",
}


class Played(NamedTuple):
    status: int
    last_words: str


class Playing:
    def __init__(self, arguments: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        self._log = log
        handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._process = subprocess.Popen(
                [program(), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=handle,
                stderr=handle,
                env={**SETTINGS, "ANSIBLE_COLLECTIONS_PATH": collections(), **os.environ, **environment},
                start_new_session=True,
            )
        finally:
            os.close(handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _at: TracebackType | None
    ) -> None:
        """Left early, it is told to end; what hosts have begun they finish, and their journals say so."""
        if error is not None and self._process.poll() is None:
            self._process.terminate()
        self._process.wait()

    def ended(self) -> Played | None:
        status = self._process.poll()
        return None if status is None else Played(status, self._last_words())

    def wait(self) -> Played:
        return Played(self._process.wait(), self._last_words())

    def _last_words(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")[-TAIL:].strip()


def collections() -> str:
    """Stead's own first: an older copy that was installed elsewhere would do other things than were planned."""
    found = find_spec("ansible_collections.stead.cloud")
    places = [str(Path(one).parents[2]) for one in (found.submodule_search_locations or ())] if found else []
    return os.pathsep.join([*places, "~/.ansible/collections", "/usr/share/ansible/collections"])


def program() -> str:
    """That of the environment Stead is installed in, which need not be on the path."""
    beside = Path(sys.executable).with_name("ansible-playbook")
    return str(beside) if beside.exists() else "ansible-playbook"
