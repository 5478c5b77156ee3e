"""OpenStack's own client, unchanged. It has an environment of its own, which is kept for the next time."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.serve.served import PASSWORD, Site

PACKAGES = ("python-openstackclient==10.5.0", "openstacksdk==4.22.0")
COMMANDS = Path(__file__).parent.parent / "cases" / "serve" / "client.txt"
RUN = Path(__file__).with_name("client.py")


@pytest.fixture(scope="session")
def python() -> Path:
    """Of the environment; one test process makes it, and one that was cut short is made anew."""
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


def commands() -> tuple[list[str], list[str]]:
    first, _, rest = COMMANDS.read_text(encoding="utf-8").partition("\n# long\n")
    return [one for one in first.splitlines() if not one.startswith("#")], rest.splitlines()


def openstack(python: Path, site: Site, lines: Sequence[str]) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": tempfile.gettempdir(),
        "OS_AUTH_URL": f"{site.url}/identity/v3",
        "OS_USERNAME": "ada",
        "OS_PASSWORD": PASSWORD,
        "OS_PROJECT_NAME": "adas",
        "OS_USER_DOMAIN_ID": "default",
        "OS_PROJECT_DOMAIN_ID": "default",
        "OS_IDENTITY_API_VERSION": "3",
    }
    done = subprocess.run(
        [python, RUN], input="\n".join(lines), env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]


def test_the_client_makes_a_server_with_all_that_it_needs(python: Path, own_site: Site) -> None:
    openstack(python, own_site, commands()[0])


@pytest.mark.long
def test_the_client_works_with_everything_that_is_built(python: Path, own_site: Site) -> None:
    first, rest = commands()
    openstack(python, own_site, [*first, *rest])
