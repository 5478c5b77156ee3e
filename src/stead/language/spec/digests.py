"""What is in files that a plan stands on and no part of the language reads: known by a digest, and never quoted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from stead.core.blake2 import blake2b

# Git's and Stead's own: what is in them changes with every command, and no playbook lies there.
PASSED_OVER = frozenset({".git", ".stead"})
_PART = 1 << 20  # bytes
_RUNS = 0o100  # the owner's bit


def digest_of_file(path: Path) -> str:
    whole = blake2b(digest_size=16)
    with path.open("rb") as file:
        while part := file.read(_PART):
            whole.update(part)
    return whole.hexdigest()


def digest_of_folder(folder: Path) -> str:
    """Of all that lies in it: names, what is in the files, which of them are programs, and where links lead."""
    whole = blake2b(digest_size=16)
    for path in below(folder):
        name = path.relative_to(folder)
        if path.is_symlink():
            said = f"link {path.readlink()}"
        elif path.is_file():
            said = f"{bool(path.stat().st_mode & _RUNS)} {digest_of_file(path)}"
        else:
            said = "neither"  # a device or a pipe may have no end
        whole.update(f"{name}\0{said}\0".encode(errors="surrogateescape"))
    return whole.hexdigest()


def below(folder: Path) -> Iterator[Path]:
    """All files, by name. Links are not followed."""
    for at, folders, files in os.walk(folder):
        links = [one for one in folders if (Path(at) / one).is_symlink()]
        folders[:] = sorted(set(folders) - PASSED_OVER - set(links))
        yield from (Path(at) / name for name in sorted([*files, *links]))


def leads_out(folder: Path) -> Path | None:
    """A link to what the digest does not cover."""
    real = folder.resolve()
    links = (path for path in below(folder) if path.is_symlink())
    return next((path for path in links if not _within(path, real)), None)


def _within(link: Path, folder: Path) -> bool:
    try:
        return link.resolve().is_relative_to(folder)
    except (OSError, RuntimeError):  # a ring
        return False
