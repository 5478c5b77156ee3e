"""Runs in the environment of the client: each line of stdin is a command of `openstack`, or `wait SERVER STATUS`.

Prints what failed, and the answers of those that name a format.
"""

import contextlib
import io
import shlex
import sys
import time
from typing import SupportsIndex

from openstackclient import shell  # type: ignore[import-not-found]

# It looks every five seconds whether a server is there; ours are there sooner.
sleep = time.sleep


def nap(seconds: SupportsIndex | float, /) -> None:
    sleep(min(float(seconds), 0.3))


def run(line: str) -> tuple[object, str]:
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        try:
            status = shell.main(shlex.split(line))
        except SystemExit as end:
            status = end.code
    return status, told.getvalue()


def wait(server: str, wanted: str) -> tuple[object, str]:
    until = time.monotonic() + 60
    while (found := run(f"server show {server} -f value -c status"))[1].strip() != wanted:
        if time.monotonic() > until:
            return 1, found[1]
        nap(1)
    return found


time.sleep = nap
failed = 0
for line in sys.stdin:
    first, *words = line.split()
    status, told = wait(*words) if first == "wait" else run(line)
    if status:
        failed += 1
        print(f"openstack {line.strip()}: {told[-2000:]}")
    elif " -f " in line or line.startswith("console log"):
        print(told, end="")
sys.exit(1 if failed else 0)
