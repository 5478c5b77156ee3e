"""Runs in the environment of the client: each line of stdin is a command of `openstack`.

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


time.sleep = nap
failed = 0
for line in sys.stdin:
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        try:
            status = shell.main(shlex.split(line))
        except SystemExit as end:
            status = end.code
    if status:
        failed += 1
        print(f"openstack {line.strip()}: {told.getvalue()[-2000:]}")
    elif " -f " in line or line.startswith("console log"):
        print(told.getvalue(), end="")
sys.exit(1 if failed else 0)
