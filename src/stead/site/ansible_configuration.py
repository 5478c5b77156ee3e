"""Which file of settings Ansible reads, wherever Stead runs it. Reads none itself."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

VARIABLE = "ANSIBLE_CONFIG"
OWN = Path(__file__).with_name("ansible.cfg")
# Of the person or the machine. Ansible itself looks first into the directory in which a command runs.
USUAL = ("~/.ansible.cfg", "/etc/ansible/ansible.cfg")


def configuration(environment: Mapping[str, str]) -> dict[str, str]:
    """Never a file beside the spec, unless the environment names it: what is planned may come from somebody who is not
    trusted, and settings name plugins, which are code.
    """
    if named := environment.get(VARIABLE):
        return {VARIABLE: named}
    for name in USUAL:
        path = Path(os.path.expanduser(name))  # noqa: PTH111 - a home that is not known stays as it is
        if path.is_file():
            return {VARIABLE: str(path)}
    return {VARIABLE: str(OWN)}
