"""Runs programs for the lab and turns a failure into a diagnostic that shows what the program said.

Arguments are always a list: no value ever passes through a shell.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from stead.core.diagnostics import Code
from stead.lab.codes import COMMAND_FAILED, NO_TOOL, NOT_ROOT, refuse

# program -> the Debian package that has it, so that the message can say what to install
PACKAGES = {
    "systemd-nspawn": "systemd-container",
    "mmdebstrap": "mmdebstrap",
    "ip": "iproute2",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "mount": "mount",
    "dpkg-deb": "dpkg",
    "qemu-img": "qemu-utils",
    "qemu-system-x86_64": "qemu-system-x86",
    "mke2fs": "e2fsprogs",
    "cpio": "cpio",
    "xorriso": "xorriso",
}
TAIL = 2000  # characters of a failed program's output: enough for apt's last error, short enough to read


def need_root() -> None:
    if os.geteuid() != 0:
        refuse(
            NOT_ROOT, "Only root can create namespaces, overlays and containers. Run the command with sudo, or as root."
        )


def need(*programs: str) -> None:
    """Refuse, naming every missing program at once and the one command that installs them."""
    missing = [name for name in programs if shutil.which(name) is None]
    if missing:
        packages = " ".join(sorted({PACKAGES.get(name, name) for name in missing}))
        refuse(NO_TOOL, f"Not found: {', '.join(missing)}. Install with `apt-get install {packages}`.")


def run(
    argv: Sequence[str | Path],
    *,
    code: Code = COMMAND_FAILED,
    feed: str | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> str:
    """What the program printed; a refusal when it fails."""
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(
            words,
            input=feed,
            stdin=None if feed is not None else subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            close_fds=False,  # only a lock can be inherited
            cwd=cwd,
            env=None if env is None else {**os.environ, **env},
        )
    except FileNotFoundError:
        package = PACKAGES.get(words[0], words[0])
        refuse(NO_TOOL, f"Not found: {words[0]}. Install with `apt-get install {package}`.")
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip())[-TAIL:]
        refuse(code, f"`{shlex.join(words)}` ended with status {done.returncode}:\n{said}")
    return done.stdout


def try_run(argv: Sequence[str | Path], *, feed: str | None = None) -> bool:
    """Whether the program succeeded; for what may already be done, already be gone, or not exist here."""
    try:
        done = subprocess.run(
            [str(word) for word in argv],
            input=feed,
            stdin=None if feed is not None else subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            close_fds=False,  # as above
        )
    except FileNotFoundError:
        return False
    return done.returncode == 0
