"""`/usr/lib/stead/backup VERB [JSON]`, which the controller runs over SSH: one thing of a backup on this host.

What disks have in them comes in and goes out by standard input and output, and each answer is a line of JSON. A failure
is such a line on standard error.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import threading
from typing import Any, Callable, Dict, Mapping, NoReturn, Sequence

from ..base.errors import Failed
from . import disks, repository, staged

Verb = Callable[[Mapping[str, Any]], Any]


def _read(told: Mapping[str, Any]) -> None:
    threading.Thread(target=_watch, daemon=True).start()
    disks.read(told["kind"], told["uuid"], told["serial"], sys.stdout.buffer)


def _image(told: Mapping[str, Any]) -> None:
    threading.Thread(target=_watch, daemon=True).start()
    disks.image(told["kind"], told["uuid"], told["serial"], sys.stdout.buffer)


def _send(told: Mapping[str, Any]) -> None:
    repository.send(told, sys.stdout.buffer)


def _prepare(_told: Mapping[str, Any]) -> Dict[str, bool]:
    repository.prepare()
    return {"prepared": True}


VERBS: Dict[str, Verb] = {
    "forget": repository.forget,
    "image": _image,
    "keep": lambda told: repository.keep(told, sys.stdin.buffer),
    "list": lambda _told: {"backups": repository.listed()},
    "prepare": _prepare,
    "read": _read,
    "send": _send,
    "take": lambda told: {"size": staged.take(told["uuid"], told["id"], told["most"], sys.stdin.buffer)},
    "users": lambda told: disks.users(told["serials"]),
    "verify": repository.verify,
}


def main(arguments: Sequence[str]) -> int:
    signal.signal(signal.SIGTERM, _stop)  # so that what was begun is cleared away
    try:
        verb, told = VERBS[arguments[0]], json.loads(arguments[1]) if arguments[1:] else {}
    except (IndexError, KeyError, ValueError):
        sys.stderr.write("usage: backup {0} [JSON]\n".format("|".join(sorted(VERBS))))
        return 2
    try:
        answer = verb(told)
    except Failed as error:
        sys.stderr.write(json.dumps({"error": str(error)}) + "\n")
        return 1
    except BrokenPipeError:  # who reads has gone, and says why
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except OSError as error:
        sys.stderr.write(json.dumps({"error": "{0} failed: {1}".format(arguments[0], error)}) + "\n")
        return 1
    if answer is not None:
        sys.stdout.write(json.dumps(answer) + "\n")
    return 0


def _watch() -> None:
    """Nobody reads any more: the controller was killed. A copy that is being made says nothing for long."""
    output = select.poll()
    output.register(sys.stdout.fileno(), 0)  # errors and hang-ups are told unasked
    output.poll()
    os.kill(os.getpid(), signal.SIGTERM)


def _stop(_number: int, _frame: Any) -> NoReturn:
    raise SystemExit(1)
