"""One run of ansible-playbook: its process, its log, its end.

In a session of its own, so that Ctrl-C at the terminal reaches Stead alone, which lets the running steps end. Results
do not come this way: what the log says is for people.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

from stead.core.named import NamedTuple
from stead.site.ansible_configuration import configuration

LINES = 2  # that a play tells of itself
KILLED = -9
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

# What the environment of a hook has of this one: what programs need, and nothing that opens anything but the SSH agent.
PLAIN = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "VIRTUAL_ENV"),
        *("SSH_AUTH_SOCK", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
    }
)
PLAIN_BEGINNINGS = ("LC_",)


class Played(NamedTuple):
    status: int
    last_words: str


class Playing:
    def __init__(self, arguments: Sequence[str], log: Path, environment: Mapping[str, str] = os.environ) -> None:
        self._log = log
        self._said = b""
        handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._told = _stage(environment).play(["ansible-playbook", *arguments], handle)
        finally:
            os.close(handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _at: TracebackType | None
    ) -> None:
        """Left early, it is told to end; what hosts have begun they finish, and their journals say so."""
        with self._told:
            if error is not None and self.ended() is None:
                with suppress(ProcessLookupError):  # it has just ended
                    os.kill(self._process(), signal.SIGTERM)
            self.wait()

    def ended(self) -> Played | None:
        """Its process and its status are two lines; without the second nobody knows how it ended."""
        with suppress(BlockingIOError):
            while not self._has_told() and self._listen(socket.MSG_DONTWAIT):
                pass
            return self._played()
        return None

    def wait(self) -> Played:
        while not self._has_told() and self._listen():
            pass
        return self._played()

    def _has_told(self) -> bool:
        return self._said.count(b"\n") == LINES

    def _listen(self, how: int = 0) -> bytes:
        said = self._told.recv(100, how)
        self._said += said
        return said

    def _process(self) -> int:
        while not self._said.count(b"\n") and self._listen():
            pass
        return int(self._said.split()[0])

    def _played(self) -> Played:
        status = int(self._said.split()[1]) if self._has_told() else KILLED
        return Played(status, self._last_words())

    def _last_words(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")[-TAIL:].strip()


class _Stage:
    """The process of `fork_server`, in a session of its own."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = dict(environment)
        self._asking, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(Path(__file__).with_name("fork_server.py")), str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={
                    **SETTINGS,
                    "ANSIBLE_COLLECTIONS_PATH": collections(),
                    **configuration(os.environ),  # also for hooks: it is the site's
                    **environment,
                },
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    def runs(self) -> bool:
        return self._process.poll() is None

    def play(self, words: Sequence[str], log: int) -> socket.socket:
        told, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._asking, [json.dumps(words).encode()], [log, theirs.fileno()])
        return told


def prepare() -> None:
    """What a play needs, while whoever will ask for one still reads."""
    _stage(os.environ)


def bare() -> dict[str, str]:
    """The environment of other people's playbooks: without the store, its key, passwords, tokens of a CI."""
    plain = {name: text for name, text in os.environ.items() if name in PLAIN or name.startswith(PLAIN_BEGINNINGS)}
    return {**plain, "PYTHONDONTWRITEBYTECODE": "1"}  # a plugin's, beside it, would be a change of the hook's folder


_stages: list[_Stage] = []  # of each environment one, once there is a play


def _stage(environment: Mapping[str, str]) -> _Stage:
    """What it reads is read as the environment says: another needs another."""
    _stages[:] = [one for one in _stages if one.runs()]
    for one in _stages:
        if one.environment == environment:
            return one
    _stages[:] = [*_stages[-1:], _Stage(environment)]  # Stead's own, and that of hooks
    return _stages[-1]


def collections() -> str:
    """Stead's own first: an older copy that was installed elsewhere would do other things than were planned."""
    found = find_spec("ansible_collections.stead.cloud")
    places = [str(Path(one).parents[2]) for one in (found.submodule_search_locations or ())] if found else []
    return os.pathsep.join([*places, "~/.ansible/collections", "/usr/share/ansible/collections"])
