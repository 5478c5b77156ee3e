"""Hooks of a spec as files on this machine: which of them are not there, and what is in them. Runs none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stead.core.diagnostics import Diagnostic
    from stead.language.desired import Desired


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


def digests(desired: Desired, root: Path) -> dict[str, str]:
    """Of each playbook's file, by its name. One that is not there has none: that is told apart."""
    from stead.language.spec.files import digest_of_file

    names = {hook.playbook for block in desired.blocks for hook in block.settings.hooks}
    return {name: digest_of_file(root / name) for name in sorted(names) if (root / name).is_file()}
