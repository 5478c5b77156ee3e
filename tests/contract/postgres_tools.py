"""PostgreSQL's programs, for servers of our own that end with the tests."""

from __future__ import annotations

import os
import pwd
import shutil
from pathlib import Path

import pytest

TOOLS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def tool(name: str) -> str:
    found = next((str(one / name) for one in TOOLS if (one / name).exists()), shutil.which(name))
    if not found:
        pytest.skip(f"{name} is not installed: apt-get install postgresql")
    return found


def unprivileged(directory: Path) -> list[str]:
    """PostgreSQL does not run as root, so a cluster of root's tests belongs to `nobody`."""
    if os.geteuid() != 0:
        return []
    nobody = pwd.getpwnam("nobody")
    os.chown(directory, nobody.pw_uid, nobody.pw_gid)
    return ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
