"""OpenStack's own client, unchanged, in an environment of its own that is kept for the next time."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.serve.served import PASSWORD

PACKAGES = ("python-openstackclient==10.5.0", "openstacksdk==4.22.0")
RUN = Path(__file__).with_name("client.py")


def made_environment() -> Path:
    """Its Python. One test process makes it, and one that was cut short is made anew."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path(tempfile.gettempdir()) / f"stead-tests-{os.getuid()}")
    folder = cache / "-".join(["client", *(one.partition("==")[2] for one in PACKAGES), sys.version.split()[0]])
    mark = folder / "whole"
    cache.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not mark.exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
            pip = [str(folder / "bin" / "pip"), "install", "-q", "--disable-pip-version-check", *PACKAGES]
            subprocess.run(pip, check=True)
            mark.touch()
    return folder / "bin" / "python"


def openstack(python: Path, url: str, project: str, lines: Sequence[str]) -> str:
    """What the commands printed that name a format; each has to end well."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": tempfile.gettempdir(),
        "OS_AUTH_URL": f"{url}/identity/v3",
        "OS_USERNAME": "ada",
        "OS_PASSWORD": PASSWORD,
        "OS_PROJECT_NAME": project,
        "OS_USER_DOMAIN_ID": "default",
        "OS_PROJECT_DOMAIN_ID": "default",
        "OS_IDENTITY_API_VERSION": "3",
    }
    done = subprocess.run(
        [python, RUN], input="\n".join(lines), env=environment, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    return done.stdout
