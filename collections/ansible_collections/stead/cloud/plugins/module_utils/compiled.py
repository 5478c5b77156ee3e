"""Host code is compiled once a version, and not once a task.

Ansible sends a module's sources in a zip, which Python compiles anew each time: as long as all else that a short task
does. They are kept on the host, compiled, under the digest of what is in the zip. Where that cannot be, the zip does.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import py_compile
import shutil
import sys
import tempfile
import zipfile
from typing import List

ROOT = "/var/lib/stead"  # there once the host is prepared: nothing is kept on others
CODE = "/var/cache/stead/code"
# Two modules, before an upgrade and after it, and one to spare.
KEPT = 5


def use(root: str = ROOT, code: str = CODE) -> None:
    """What is imported from here on comes compiled."""
    package = sys.modules[__name__.rpartition(".")[0]]
    archive = getattr(package.__loader__, "archive", "")
    if archive and os.path.isdir(root):
        with contextlib.suppress(OSError):  # a full disk, or one that cannot be written
            package.__path__.insert(0, _compiled(archive, package.__name__.replace(".", "/") + "/", code))


def _compiled(archive: str, prefix: str, code: str) -> str:
    with zipfile.ZipFile(archive) as sources:
        ours = [one for one in sources.infolist() if one.filename.startswith(prefix)]
        words = sorted("{0} {1} {2}".format(one.filename, one.CRC, one.file_size) for one in ours)
        place = os.path.join(code, hashlib.sha256("\n".join(words).encode()).hexdigest()[:16])
        if os.path.isdir(place):
            os.utime(place)
        else:
            os.makedirs(code, mode=0o700, exist_ok=True)
            _fill(sources, ours, len(prefix), place)
            _forget_older(code)
    return place


def _fill(sources: zipfile.ZipFile, ours: List[zipfile.ZipInfo], skip: int, place: str) -> None:
    """All of it or nothing, whoever else does the same at this moment."""
    with tempfile.TemporaryDirectory(prefix=".", dir=os.path.dirname(place)) as temporary:
        new = os.path.join(temporary, "code")
        for one in ours:
            path = os.path.join(new, one.filename[skip:])
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            with open(path, "wb") as file:
                file.write(sources.read(one))
            final = os.path.join(place, one.filename[skip:])
            mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
            py_compile.compile(path, dfile=final, doraise=True, invalidation_mode=mode)
        with contextlib.suppress(OSError):
            os.rename(new, place)


def _forget_older(code: str) -> None:
    """A version that still runs has read what it needs, or reads its own zip for the rest."""
    places = [os.path.join(code, name) for name in os.listdir(code) if not name.startswith(".")]
    for place in sorted(places, key=os.path.getmtime)[:-KEPT]:
        shutil.rmtree(place, ignore_errors=True)
