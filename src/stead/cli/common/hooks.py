"""Hooks of a spec as files on this machine: which of them are not there, and whose they are. Runs none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stead.core.address import Address
    from stead.core.diagnostics import Diagnostic
    from stead.language.desired import Desired
    from stead.language.desired.model import Hook


def missing(desired: Desired, root: Path) -> list[Diagnostic]:
    """Told before anything is done: at its step, the playbook would stop a run halfway."""
    from stead.language.spec.files import NO_FILE

    found = []
    for block in desired.blocks:
        for at, hook in enumerate(block.settings.hooks):
            if not (root / hook.playbook).is_file():
                text = f"There is no playbook {hook.playbook}. Its name is as seen from the file that it is written in."
                address = str(block.members[0].block)
                found.append(NO_FILE.at(block.place(f"hooks.{at}.playbook"), text, address=address))
    return list(dict.fromkeys(found))


def of_resources(desired: Desired, root: Path) -> Mapping[Address, Sequence[Hook]]:
    """By definition, or by member where they differ. Files are named as seen from the spec's directory, which need not
    be this one.
    """
    from stead.core.value import replace

    return {
        block.members[0] if len(block.members) == 1 else block.members[0].block: [
            replace(one, playbook=str(root / one.playbook)) for one in block.settings.hooks
        ]
        for block in desired.blocks
        if block.settings.hooks and block.members
    }
