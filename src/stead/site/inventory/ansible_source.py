"""Asks `ansible-inventory` for what is not plain YAML: INI files, scripts, plugins, vaulted files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stead.core.diagnostics import Refused
from stead.site.ansible_configuration import configuration
from stead.site.inventory.codes import ANSIBLE_FAILED
from stead.site.inventory.tree import ALL, Tree

TIMEOUT = 300  # seconds: plugins ask clouds


def read_with_ansible(sources: Sequence[Path]) -> Tree:
    """Variables come merged, host by host, so groups hold none."""
    answer = _ask(sources)
    tree = Tree()
    for host, variables in answer.pop("_meta", {}).get("hostvars", {}).items():
        tree.add_host(host, ALL, variables)
    for name, body in answer.items():
        for child in body.get("children", ()):
            if name != ALL:
                tree.group(name).children.append(child)
        for host in body.get("hosts", ()):
            tree.group(name)
            tree.add_host(host, name)
    return tree


def _ask(sources: Sequence[Path]) -> dict[str, Any]:
    options = [word for one in sources for word in ("-i", str(one))]
    beside = Path(sys.executable).with_name("ansible-inventory")
    command = [str(beside) if beside.exists() else "ansible-inventory", *options, "--list"]
    try:
        environment = {**os.environ, **configuration(os.environ)}
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,  # Ansible refuses one that does not block, as a plugin of its own has
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
            env=environment,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refused(ANSIBLE_FAILED.at(None, f"{' '.join(command)}: {error}.")) from None
    if done.returncode or _nothing_was_read(done.stderr):
        raise Refused(ANSIBLE_FAILED.at(None, f"{' '.join(command)}:\n{done.stderr.strip()}"))
    found = json.loads(done.stdout)
    return found if isinstance(found, dict) else {}


def _nothing_was_read(words: str) -> bool:
    """Ansible only warns of a source that it cannot parse, and goes on without its hosts. We do not."""
    return "Unable to parse" in words or "Failed to parse inventory" in words
