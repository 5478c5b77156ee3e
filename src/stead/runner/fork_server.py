"""Ansible's code, read once: a process that becomes `ansible-playbook` for each play, by forking.

Reading it takes half a second of a processor, packing a module for hosts a third, and an apply has a play for each
wave. What one fork packs is there for the next, since all share Ansible's directory for such. It is a program of its
own, started by `ansible_process`, and imports nothing of Stead: what it is told is a command line and where the log
goes.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NoReturn

MOST = 1 << 16  # bytes of a request: a command line; what is long stands in files
# Beyond what the program itself imports: what Ansible loads in every play.
USUAL = (
    "ansible.executor.module_common",
    "ansible.plugins.callback.default",
    "ansible.plugins.connection.ssh",
    "ansible.plugins.inventory.yaml",
    "ansible.plugins.shell.sh",
    "ansible.plugins.strategy.linear",
)


def main() -> None:
    """Until whoever asks has ended; and then until the last play has."""
    asking = socket.socket(fileno=int(sys.argv[1]))
    play, left = prepared()
    gc.collect()
    gc.freeze()  # what all plays have in common is looked through by none of them
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody has to wait for them
    while True:
        asked, handles, _flags, _address = socket.recv_fds(asking, MOST, 2)
        if not asked:
            break
        if os.fork() == 0:
            asking.close()
            keep(partial(perform, play, left, json.loads(asked)), *handles)
        for handle in handles:
            os.close(handle)
    with suppress(ChildProcessError):
        while True:
            os.wait()
    end()


def end(status: int = 0) -> NoReturn:
    """What is to be done at the end is done; but nobody takes apart, piece by piece, what goes as a whole."""
    atexit._run_exitfuncs()  # noqa: SLF001 - Python has no public name for it
    os._exit(status)


def prepared() -> tuple[Callable[[Sequence[str]], None], Callable[..., Any]]:
    """The program, and what would tidy up after every fork what the next one needs."""
    try:
        for name in USUAL:
            importlib.import_module(name)
        from ansible.cli.playbook import main as program
        from ansible.utils.path import cleanup_tmp_file
    except (Exception, SystemExit):  # noqa: BLE001 - whatever it is, it is told where the play would be
        why = traceback.format_exc()

        def refuse(_words: Sequence[str]) -> None:
            sys.exit(why)

        return refuse, refuse
    return program, cleanup_tmp_file


def keep(perform: Callable[[int], NoReturn], log: int, telling: int) -> NoReturn:
    """In a fork: says which process plays, and how it ended. That one tells nothing, nor do those that it starts."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if (process := os.fork()) == 0:
        os.close(telling)
        perform(log)
    os.close(log)
    with suppress(OSError):  # nobody listens any more: the play goes on all the same
        os.write(telling, f"{process}\n".encode())
        os.write(telling, f"{os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])}\n".encode())
    os._exit(0)


def perform(play: Callable[[Sequence[str]], None], left: Callable[..., Any], words: list[str], log: int) -> NoReturn:
    """In a fork of that one."""
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    atexit.unregister(left)
    sys.argv, status = words, 1
    try:
        play(words)
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
    except BaseException:  # noqa: BLE001 - as at the end of any program
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    end(status)


if __name__ == "__main__":
    main()
