"""Host code is compiled once a version, and not once a call.

It arrives as an archive that Python can run, which would be compiled anew each time: as long as all else that a short
call does. It is kept on the host, compiled, in a directory that Python can run as well, under the digest that the
controller calls it by. Where that cannot be, the archive does.
"""

from __future__ import annotations

import contextlib
import os
import py_compile
import shutil
import sys
import tempfile
import zipfile

ROOT = "/var/lib/stead"  # there once the host is prepared: nothing is kept on others
CODE = "/var/cache/stead/code"
KEPT = 5


def use(root: str = ROOT, code: str = CODE) -> None:
    """First thing in what is run. An archive, whose first argument is its digest, becomes what is kept of it."""
    running = sys.path[0]
    if os.path.isdir(running):
        os.utime(running)
        return
    digest = sys.argv.pop(1)
    if os.path.isdir(root):
        with contextlib.suppress(OSError):  # a full disk, or one that cannot be written
            words = [sys.executable, "-I", _kept(running, os.path.join(code, digest)), *sys.argv[1:]]
            os.execv(words[0], words)  # noqa: S606 - a program of its own, with what comes by standard input


def _kept(archive: str, place: str) -> str:
    """All of it or nothing, whoever else does the same at this moment."""
    code = os.path.dirname(place)
    os.makedirs(code, mode=0o700, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".", dir=code) as temporary, zipfile.ZipFile(archive) as sources:
        new = os.path.join(temporary, "code")
        sources.extractall(new)
        for name in sources.namelist():
            mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
            final = os.path.join(place, name)
            py_compile.compile(os.path.join(new, name), dfile=final, doraise=True, invalidation_mode=mode)
        with contextlib.suppress(OSError):
            os.rename(new, place)
    _forget_older(code)
    return place


def _forget_older(code: str) -> None:
    """A version that still runs has read what it needs."""
    places = [os.path.join(code, name) for name in os.listdir(code) if not name.startswith(".")]
    for place in sorted(places, key=os.path.getmtime)[:-KEPT]:
        shutil.rmtree(place, ignore_errors=True)
