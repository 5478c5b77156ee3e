"""Holds one host up: plugs its cables, boots it, and boots it again when it reboots itself; the host's power button.

Started as `python -m stead.lab.keeper TOP HOST` in the host's own control group, detached from whoever started it.
Ends when the host powers off. A power cut kills it with the host, so it leaves nothing that someone else must know.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from stead.lab import cgroups, links
from stead.lab.base import Base
from stead.lab.host import boot_argv
from stead.lab.layout import LabHost, LabLayout, from_json
from stead.lab.paths import Rooms

REBOOTED = 133  # what nspawn with --keep-unit ends with when the host asked for a reboot


def keep(layout: LabLayout, host: LabHost, rooms: Rooms, base: Base) -> None:
    top = rooms.host(host.name)
    box = cgroups.make(layout.name, f"{host.name}/box")
    if host.memory:
        cgroups.limit_memory(box, host.memory)
    while True:
        links.plug(layout, host)
        carry(layout, host, top)
        with (top / "console.log").open("ab") as console:
            running = subprocess.Popen(
                boot_argv(layout, host, rooms, base),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
                preexec_fn=lambda: cgroups.enter(box),  # noqa: PLW1509 - this process has one thread
            )
            (top / "pid").write_text(str(running.pid), encoding="utf-8")
            status = running.wait()
        links.unplug(layout, host)
        if status != REBOOTED:
            (top / "pid").unlink(missing_ok=True)
            return


def carry(layout: LabLayout, host: LabHost, top: Path) -> None:
    """Who cuts or heals a cable meanwhile sets the mark first: once it has not changed, all is as it says."""
    set_to = None
    while set_to != (wanted := cut_links(top)):
        links.carry(layout, host, wanted)
        set_to = wanted


def cut_links(top: Path) -> frozenset[str]:
    """A pulled cable stays pulled, whatever the host does."""
    return frozenset(mark.name for mark in (top / "cut").glob("*"))


def main() -> None:
    rooms = Rooms(top=Path(sys.argv[1]))
    layout = from_json(rooms.layout.read_text(encoding="utf-8"))
    host = layout.host(sys.argv[2])
    if host is not None:
        keep(layout, host, rooms, Base(top=(rooms.top / "base").resolve()))


if __name__ == "__main__":
    main()
