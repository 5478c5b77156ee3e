"""Runs in the environment of the client: each line of stdin is a command of `openstack`. Prints what failed."""

import contextlib
import io
import shlex
import sys

from openstackclient import shell  # type: ignore[import-not-found]

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
sys.exit(1 if failed else 0)
