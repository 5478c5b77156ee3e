"""What an inventory says of the machine that this runs on."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_FAR = ("192.0.2.1", 9)  # for documentation: nobody has it, and nothing is sent
# The second has what the first hides where systemd-resolved answers for others.
_NAME_SERVERS = ("/etc/resolv.conf", "/run/systemd/resolve/resolv.conf")


def told() -> Mapping[str, str]:
    """The values of the template `here`."""
    return {
        "name": _name(),
        "address": _address(),
        "become": "false" if os.geteuid() == 0 else "true",
        "dns": ", ".join(dict.fromkeys(_name_servers())),
    }


def _name() -> str:
    name = socket.gethostname().partition(".")[0]
    # Of a group, or of what every Ansible has by itself, it would be another thing.
    taken = {"all", "ungrouped", "localhost", "controller", "compute", "storage", "network"}
    return name if _NAME.fullmatch(name) and name not in taken else "here"


def _address() -> str:
    """That by which it leaves; without a way out, the one that every machine has."""
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.connect(_FAR)
        return str(link.getsockname()[0])
    return "127.0.0.1"


def _name_servers() -> Iterator[str]:
    """IPv4: instances reach no other behind a host. One on the machine itself is not for them."""
    for path in map(Path, _NAME_SERVERS):
        with suppress(OSError):
            for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
                words = line.split()
                if words[:1] == ["nameserver"] and re.fullmatch(r"[0-9.]+", words[-1]) and words[-1][:4] != "127.":
                    yield words[-1]
