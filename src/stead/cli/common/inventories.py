"""Files of an inventory, with the variables beside it: whose they are, and what is in them. Reads no variable.

Variables say how a host is reached, and so what runs on this machine: `ansible_ssh_common_args` names a program. The
plan is made from hosts, and shows none of them: so it is made from the files, and whoever may change these is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stead.core.diagnostics import Diagnostic


def files(sources: Sequence[Path]) -> Iterator[tuple[Path, Path]]:
    """Each with the directory that it is named from."""
    from stead.language.spec.digests import below
    from stead.site.inventory.yaml_source import BESIDE

    for source in sources:
        if source.is_dir():
            yield from ((source, path) for path in below(source))
            continue
        if source.exists():
            yield source.parent, source
        for name in BESIDE:
            yield from ((source.parent, path) for path in below(source.parent / name))


def digest(sources: Sequence[Path]) -> str:
    from stead.core.blake2 import blake2b

    whole = blake2b(digest_size=16)
    for folder, path in files(sources):
        whole.update(f"{path.relative_to(folder)}\0{_digest(path)}\0".encode(errors="surrogateescape"))
    return whole.hexdigest()


def digests(sources: Sequence[Path], root: Path) -> dict[str, str]:
    """Of those that lie where the spec does: a change of the spec may be one of them, too."""
    below = {path: str(path.relative_to(root)) for _, path in files(sources) if path.is_relative_to(root)}
    return {name: _digest(path) for path, name in below.items()}


def _digest(path: Path) -> str:
    from stead.language.spec.digests import digest_of_file

    link = f"{path.readlink()} " if path.is_symlink() else ""
    return link + (digest_of_file(path) if path.is_file() else "")  # a device or a pipe may have no end


def of_projects(sources: Sequence[Path], owned: Mapping[str, str]) -> Iterator[Diagnostic]:
    """What a project's people write decides nothing of hosts."""
    from stead.language.spec.project_files import NOT_ALONE

    folders = {Path(folder).resolve(): project for folder, project in owned.items()}
    for _, path in files(sources) if folders else ():
        whose = next((one for folder, one in folders.items() if path.resolve().is_relative_to(folder)), "")
        if whose:
            text = (
                f"{path} is part of the inventory, and is written by the people of {whose}. Its variables would decide "
                "what runs on the controller. Move the inventory, and the files beside it, elsewhere."
            )
            yield NOT_ALONE.at(None, text)
