"""OpenStack's own clients, unchanged, in environments of their own that are kept for the next time."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.serve.served import PASSWORD

PACKAGES = ("python-openstackclient==10.5.0", "openstacksdk==4.22.0", "python-heatclient==5.3.0")
# The collection openstack.cloud comes with this package of PyPI. It uses a part of the SDK that newer ones load late.
ANSIBLE, COLLECTION = "ansible==12.3.0", "ansible_collections/openstack/"
SDK_OF_COLLECTION = ("openstacksdk==4.7.1",)
RUN = Path(__file__).with_name("client.py")
PROGRAMS = Path(__file__).with_name("programs")


@contextmanager
def _cached(name: str) -> Iterator[tuple[Path, bool]]:
    """A folder beside those of other versions, and whether it is whole: one that was cut short is not."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path(tempfile.gettempdir()) / f"stead-tests-{os.getuid()}")
    folder = cache / name
    mark = folder / "whole"
    cache.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder, mark.exists()
        mark.touch()


def made_environment(packages: Sequence[str] = PACKAGES) -> Path:
    """Its Python."""
    name = "-".join(["client", *(one.partition("==")[2] for one in packages), sys.version.split()[0]])
    with _cached(name) as (folder, whole):
        if not whole:
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
            _pip(folder / "bin" / "pip", "install", *packages)
    return folder / "bin" / "python"


def made_collection() -> Path:
    """Where Ansible finds openstack.cloud."""
    with _cached(ANSIBLE) as (folder, whole):
        if not whole:
            folder.mkdir(exist_ok=True)
            with tempfile.TemporaryDirectory() as got:
                _pip(Path(sys.executable).with_name("pip"), "download", "--no-deps", "-d", got, ANSIBLE)
                with zipfile.ZipFile(next(Path(got).glob("*.whl"))) as wheel:
                    wheel.extractall(folder, [one for one in wheel.namelist() if one.startswith(COLLECTION)])
    return folder


def _pip(pip: Path, *words: str) -> None:
    subprocess.run([pip, words[0], "-q", "--disable-pip-version-check", *words[1:]], check=True)


def environment(url: str, project: str, authority: str = "") -> dict[str, str]:
    """As a person has it after `source openrc`. `authority` is a file with its certificate."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": tempfile.gettempdir(),
        "OS_AUTH_URL": f"{url}/identity/v3",
        "OS_USERNAME": "ada",
        "OS_PASSWORD": PASSWORD,
        "OS_PROJECT_NAME": project,
        "OS_USER_DOMAIN_ID": "default",
        "OS_PROJECT_DOMAIN_ID": "default",
        "OS_IDENTITY_API_VERSION": "3",
        **({"OS_CACERT": authority} if authority else {}),
    }


def openstack(python: Path, reached: Mapping[str, str], lines: Sequence[str]) -> str:
    """What the commands printed that name a format; each has to end well."""
    return _ran([str(python), str(RUN)], reached, "\n".join(lines))


def play(reached: Mapping[str, str], name: str, folder: Path, **variables: str) -> int:
    """How many tasks of a playbook with openstack.cloud changed something."""
    python = made_environment(SDK_OF_COLLECTION)
    given = {"ansible_python_interpreter": str(python), **variables}
    words = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", str(PROGRAMS / name)]
    words += [word for one in given.items() for word in ("-e", "=".join(one))]
    own = {"ANSIBLE_COLLECTIONS_PATH": str(made_collection()), "ANSIBLE_HOME": str(folder), "ANSIBLE_NOCOLOR": "1"}
    said = _ran(words, {**reached, **own})
    return int(said.rpartition("changed=")[2].split()[0])


def program(python: Path, reached: Mapping[str, str], name: str, *words: str) -> str:
    """What a program over openstacksdk printed."""
    return _ran([str(python), str(PROGRAMS / name), *words], reached).strip()


def _ran(words: Sequence[str], reached: Mapping[str, str], feed: str = "") -> str:
    done = subprocess.run(
        words, input=feed, env=dict(reached), capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    return done.stdout
