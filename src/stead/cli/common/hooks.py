"""Hooks of a spec as files on this machine: which cannot be run, and what is in them. Runs none.

A playbook imports roles, tasks, variables and plugins that lie beside it, so what is planned and run is the folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stead.core.diagnostics import Code

if TYPE_CHECKING:
    from stead.core.diagnostics import Diagnostic
    from stead.language.desired import Desired

NO_FOLDER = Code("STEAD-G010", "a hook has no folder of its own")


def unfit(desired: Desired, root: Path) -> list[Diagnostic]:
    """Told before anything is done: at its step, the playbook would stop a run halfway."""
    from stead.language.spec.files import NO_FILE

    found, why = [], {folder: _why_unfit(folder, root) for folder in _folders(desired, root).values()}
    for block in desired.blocks:
        for at, hook in enumerate(block.settings.hooks):
            place, address, path = (
                block.place(f"hooks.{at}.playbook"),
                str(block.members[0].block),
                root / hook.playbook,
            )
            if not path.is_file():
                text = f"There is no playbook {hook.playbook}. Its path is relative to the file that names it."
                found.append(NO_FILE.at(place, text, address=address))
            elif why[path.parent]:
                found.append(NO_FOLDER.at(place, why[path.parent], address=address))
    return list(dict.fromkeys(found))


def digests(desired: Desired, root: Path) -> dict[str, str]:
    """Of each playbook's folder, by the playbook's name. What is unfit has none: that is told apart."""
    from stead.language.spec.digests import digest_of_folder

    folders = _folders(desired, root)
    known = {one: digest_of_folder(one) for one in set(folders.values()) if not _holds(one, root)}
    return {name: known[folder] for name, folder in folders.items() if folder in known}


def _folders(desired: Desired, root: Path) -> dict[str, Path]:
    names = {hook.playbook for block in desired.blocks for hook in block.settings.hooks}
    return {name: (root / name).parent for name in sorted(names) if (root / name).is_file()}


def _holds(folder: Path, root: Path) -> bool:
    return root.resolve().is_relative_to(folder.resolve())


def _why_unfit(folder: Path, root: Path) -> str:
    from stead.language.spec.digests import leads_out

    if _holds(folder, root):
        return (
            "The playbook lies beside the spec. The plan has a digest of all that is in a hook's folder, and this "
            "folder changes with every plan. Keep hooks, and what they import, in a folder such as hooks/."
        )
    link = leads_out(folder)
    if link is None:
        return ""
    return (
        f"{link.relative_to(folder)}, in the folder of the playbook, is a link that leads out of it. What is there "
        "could change after the plan. Copy it into the folder."
    )
