"""Which files make up the running installation of Stead: what a controller needs to run the same, and nothing else.

Decides what belongs to it: Stead and its collection, the packages that it requires with the extra `serve`, and those
of the site that announce kinds or drivers. It copies what runs here, so that nothing is fetched and no version chosen.
"""

from __future__ import annotations

import io
import os
import platform
import sys
import tarfile
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from stead.core.blake2 import blake2b
from stead.core.value import field, value

STEAD = "stead"
EXTRAS = ("serve", "postgres", "ldap", "oidc")  # all but the first, if they are installed here
COLLECTION = "ansible_collections.stead.cloud"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
LIBRARY = f"lib/python{PYTHON}/site-packages"
# Installed, but of no use to who runs it. What is compiled is compiled anew where it runs.
LEFT_OUT = frozenset({"__pycache__", "ansible_test", "tests"})
NOTES = frozenset({"INSTALLER", "REQUESTED", "direct_url.json"})  # of this very installation
PROGRAM = '#!/bin/sh\nexec {python} -m {module} "$@"\n'
# `stead` for the unit and for people; the others are looked for beside Python.
PROGRAMS = {"stead": "stead", "ansible-playbook": "ansible playbook", "ansible-inventory": "ansible inventory"}


@value
class Program:
    """What is to run, told from any other by its digest."""

    digest: str
    python: str  # which a controller must have
    machine: str
    files: Mapping[str, Path] = field(repr=False)  # path in the library -> file here


def program() -> Program:
    """Of other people's packages the version says what is in them; of Stead, which may be a checkout, its files do."""
    found = {one.name: one for one in _needed()}
    files: dict[str, Path] = {}
    told = [PYTHON, platform.machine(), *PROGRAMS]
    for name, one in sorted(found.items()):
        told.append(f"{name}=={one.version}")
        files.update(_files_of(one, notes_only=name == STEAD))
    for package in (STEAD, COLLECTION):
        own = dict(_package(package))
        told += [f"{path} {_digest(file)}" for path, file in sorted(own.items())]
        files.update(own)
    digest = blake2b("\n".join(told).encode(), digest_size=8).hexdigest()
    return Program(digest=digest, python=PYTHON, machine=platform.machine(), files=files)


def write(wanted: Program, root: str, out: IO[bytes]) -> None:
    """As an archive of a virtual environment that is to lie in `root` and needs no pip there."""
    python = f"{root}/bin/python3"
    made = {
        "pyvenv.cfg": ("home = /usr/bin\ninclude-system-site-packages = false\n", 0o644),
        **{f"bin/{name}": (PROGRAM.format(python=python, module=module), 0o755) for name, module in PROGRAMS.items()},
    }
    with tarfile.open(fileobj=out, mode="w:gz", compresslevel=3) as archive:
        for name, (text, mode) in made.items():
            _add(archive, name, io.BytesIO(text.encode()), len(text.encode()), mode)
        link = tarfile.TarInfo("bin/python3")
        link.type, link.linkname = tarfile.SYMTYPE, "/usr/bin/python3"
        archive.addfile(link)
        for name, path in sorted(wanted.files.items()):
            with path.open("rb") as file:
                there = os.fstat(file.fileno())
                _add(archive, f"{LIBRARY}/{name}", file, there.st_size, 0o755 if there.st_mode & 0o100 else 0o644)


def _add(archive: tarfile.TarFile, name: str, file: IO[bytes], size: int, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, mode
    archive.addfile(entry, file)


def _needed() -> Iterator[Distribution]:
    """Stead's own requirements and theirs, and the packages of the site with all that they require."""
    from packaging.requirements import Requirement

    sites = [one.name for one in distributions() if any(two.group.startswith("stead.") for two in one.entry_points)]
    open_, known = [(STEAD, EXTRAS), *((name, ()) for name in sites if name != STEAD)], set[str]()
    while open_:
        name, extras = open_.pop()
        try:
            one = distribution(name)
        except PackageNotFoundError:  # an extra that is not installed here, or for another Python
            continue
        if one.name in known:
            continue
        known.add(one.name)
        yield one
        for text in one.requires or ():
            need = Requirement(text)
            if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in extras or ("",)):
                open_.append((need.name, tuple(need.extras)))


def _files_of(one: Distribution, *, notes_only: bool) -> Iterator[tuple[str, Path]]:
    for file in one.files or ():
        parts = file.parts
        notes = parts[0].endswith(".dist-info")
        if parts[0] == ".." or LEFT_OUT & set(parts) or (notes and parts[-1] in NOTES) or (notes_only and not notes):
            continue
        path = Path(str(file.locate()))
        if path.is_file():
            yield str(file), path


def _package(name: str) -> Iterator[tuple[str, Path]]:
    spec = find_spec(name)
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        top = Path(place)
        for path in sorted(top.rglob("*")):
            inside = path.relative_to(top)
            if path.is_file() and not LEFT_OUT & set(inside.parts) and not inside.parts[0].startswith("."):
                yield "/".join([*name.split("."), *inside.parts]), path


def _digest(path: Path) -> str:
    return blake2b(path.read_bytes(), digest_size=8).hexdigest()
