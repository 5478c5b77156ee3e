"""The command that enters a host as its inventory says: what Ansible does, for people and for tunnels.

Of a host that is this machine, that is the command itself.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any


def ssh(host: str, told: Mapping[str, Any], command: Sequence[str], *, options: Sequence[str] = ()) -> list[str]:
    """`told` are the host's variables of a connection; the command is done as root, by a shell."""
    if told.get("ansible_connection") == "local":
        return [*(["sudo", "-n"] if told.get("ansible_become") else []), "sh", "-c", " ".join(command)]
    user = str(told.get("ansible_user", told.get("ansible_ssh_user", "")))
    words = ["ssh", *options, *shlex.split(str(told.get("ansible_ssh_common_args", "")))]
    words += shlex.split(str(told.get("ansible_ssh_extra_args", "")))
    if key := told.get("ansible_ssh_private_key_file", told.get("ansible_private_key_file")):
        words += ["-i", str(key)]
    if port := told.get("ansible_port", told.get("ansible_ssh_port")):
        words += ["-p", str(port)]
    if user:
        words += ["-l", user]
    words += [str(told.get("ansible_host", told.get("ansible_ssh_host", host)))]
    words += [] if user in ("", "root") else ["sudo", "-n"]
    return [*words, *command]
