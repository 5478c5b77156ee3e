"""The neighbour: the outside world of a lab, in a namespace of its own with the stocked tree's programs.

Not a host: it has no systemd and no sshd, only a web server that tells who asked. Commands enter beside that.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from stead.lab import cgroups, neighbour
from stead.lab.base import Base
from stead.lab.codes import HOST_OFF, NO_ANSWER, refuse
from stead.lab.host import public, write
from stead.lab.layout import NEIGHBOUR, LabLayout
from stead.lab.paths import Rooms

# $1 name, $2 options, $3 directory of the overlay. In a mount namespace that ends with the server.
MOUNT_AND_SERVE = (
    'mount -t overlay "$1" -o "$2" "$3" && mount -t proc proc "$3/proc" && mount --rbind /sys "$3/sys"'
    ' && mount --rbind /dev "$3/dev" && mount -t tmpfs tmp "$3/tmp" && exec chroot "$3" python3 /root/neighbour.py'
)


def start(layout: LabLayout, rooms: Rooms, base: Base) -> None:
    if cgroups.processes(layout.name, NEIGHBOUR) and serving(rooms).exists():
        return
    cgroups.kill(layout.name, NEIGHBOUR)
    top = rooms.top / NEIGHBOUR
    for name in ("upper/root/.ssh", "work", "root"):
        (top / name).mkdir(parents=True, exist_ok=True)
    shutil.copyfile(neighbour.__file__, top / "upper/root/neighbour.py")
    write(top / "upper/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n")
    (top / "upper/root").chmod(0o700)
    for name, text in (("id_ed25519", rooms.key.read_text(encoding="utf-8")), ("id_ed25519.pub", public(rooms.key))):
        write(top / "upper/root/.ssh" / name, text, mode=0o600)  # an instance that has the lab's key lets it in
    lower = ":".join(map(str, base.layers("stocked")))
    options = f"lowerdir={lower},upperdir={top / 'upper'},workdir={top / 'work'}"
    serving(rooms).unlink(missing_ok=True)
    groups = cgroups.make(layout.name, NEIGHBOUR)
    there = ["ip", "netns", "exec", layout.neighbour, "unshare", "--mount", "--propagation=slave"]
    with (top / "log").open("ab") as log:
        subprocess.Popen(
            [*there, "sh", "-c", MOUNT_AND_SERVE, "serve", layout.neighbour, options, str(top / "root")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            cwd="/",
            start_new_session=True,
            preexec_fn=lambda: cgroups.enter(groups),  # noqa: PLW1509 - nothing else runs in this process yet
        )


def serving(rooms: Rooms) -> Path:
    """The neighbour makes it once its server takes connections."""
    return rooms.top / NEIGHBOUR / "upper" / neighbour.SERVING.lstrip("/")


def wait(layout: LabLayout, rooms: Rooms, within: float) -> None:
    deadline = time.monotonic() + within
    while not serving(rooms).exists():
        if not cgroups.processes(layout.name, NEIGHBOUR) or time.monotonic() > deadline:
            said = (rooms.top / NEIGHBOUR / "log").read_text(encoding="utf-8", errors="replace")[-1500:]
            refuse(NO_ANSWER, f"The neighbour of lab {layout.name} does not serve. It said:\n{said}")
        time.sleep(0.05)


def enter_argv(layout: LabLayout, argv: Sequence[str]) -> list[str]:
    """The command that runs `argv`, or a shell, as the neighbour."""
    server = min(cgroups.processes(layout.name, NEIGHBOUR), default=None)
    if server is None or not Path(f"/proc/{server}").exists():
        refuse(HOST_OFF, f"The neighbour of lab {layout.name} is off. `stead lab up --name {layout.name}` starts it.")
    inside = ["--mount", "--net", "--root", "--wdns=/root"]
    return ["nsenter", "--target", str(server), *inside, "--", *(argv or ("bash", "--login"))]
