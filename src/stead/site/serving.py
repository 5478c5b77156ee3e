"""What of a site goes with `stead serve` to its controller: its files, and the inventory as seen from there.

Decides what does not go: what only opens something on this machine (keys, jump hosts), what is vaulted, what is hidden.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from stead.core.diagnostics import Code, Refused
from stead.site.inventory import ROLES
from stead.site.inventory.ansible_source import read_with_ansible

NO_FILES = Code("STEAD-H041", "the site's files for stead serve cannot be read")
# How this machine reaches hosts. The controller has a key and known hosts of its own.
OF_THIS_MACHINE = frozenset(
    {
        *("ansible_ssh_private_key_file", "ansible_private_key_file", "ansible_ssh_common_args"),
        *("ansible_ssh_extra_args", "ansible_sftp_extra_args", "ansible_scp_extra_args", "ansible_ssh_args"),
        *("ansible_password", "ansible_ssh_pass", "ansible_become_password", "ansible_become_pass"),
    }
)
VAULTED = "__ansible_vault"  # as `ansible-inventory` prints it
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._ -]*")  # of what the host lays down
INVENTORIES = ("inventory", "group_vars", "host_vars")  # beside the spec: the controller gets its own
LARGEST, MOST = 1 << 20, 2_000  # bytes of a file, and files


def inventory(sources: Sequence[str], logins: Mapping[str, str]) -> str:
    """Hosts of Stead with all their variables, as YAML that is JSON."""
    tree = read_with_ansible([Path(one) for one in sources])
    hosts: dict[str, dict[str, Any]] = {}
    groups: dict[str, dict[str, None]] = {}
    for name, within, variables in tree.resolved():
        if within & ROLES:
            kept = {key: one for key, one in variables.items() if not _stays(key, one)}
            hosts[name] = {**kept, **({"ansible_user": logins[name]} if name in logins else {})}
            for group in sorted(within - {"all", "ungrouped"}):
                groups.setdefault(group, {})[name] = None
    children = {name: {"hosts": members} for name, members in sorted(groups.items())}
    return json.dumps({"all": {"hosts": hosts, "children": children}}, indent=1, sort_keys=True) + "\n"


def files(folder: str, sources: Sequence[str]) -> dict[str, str]:
    """The site's files by their paths in `folder`, which is taken from where the inventory is, as in Ansible."""
    beside = Path(sources[0]).resolve() if sources else Path.cwd()
    top = ((beside if beside.is_dir() else beside.parent) / folder).resolve()
    if not top.is_dir():
        raise _refused(f"{top} is not a directory. Set `site` of stead_serve to the directory of the site's files.")
    found: dict[str, str] = {}
    for path in _plain(top):
        if path.stat().st_size > LARGEST or len(found) >= MOST:
            text = f"{path} has more than {LARGEST >> 20} MiB, or {top} more than {MOST:,} files. Set `site` of "
            raise _refused(text + "stead_serve to a directory that has only the site's files.")
        if not all(map(NAME.fullmatch, path.relative_to(top).parts)):
            text = f"{path} has another name than letters, digits, dots, dashes, underscores and spaces. Rename it, or "
            raise _refused(text + "move it out of the directory of the site's files.")
        try:
            found[str(path.relative_to(top))] = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise _refused(
                f"{path} cannot be read as text. Move it out of the directory of the site's files."
            ) from None
    return found


def _plain(top: Path) -> Iterator[Path]:
    for path in sorted(top.rglob("*")):
        parts = path.relative_to(top).parts
        if not any(one.startswith(".") for one in parts) and not parts[0].startswith(INVENTORIES) and path.is_file():
            yield path


def _stays(name: str, value: Any) -> bool:
    """A controller that prepares itself is `local` to who does it. The service is not root there, and comes by SSH."""
    return name in OF_THIS_MACHINE or (name == "ansible_connection" and value == "local") or _vaulted(value)


def _vaulted(value: Any) -> bool:
    if isinstance(value, Mapping):
        return VAULTED in value or any(map(_vaulted, value.values()))
    return isinstance(value, list) and any(map(_vaulted, value))


def _refused(text: str) -> Refused:
    return Refused(NO_FILES.at(None, text))
