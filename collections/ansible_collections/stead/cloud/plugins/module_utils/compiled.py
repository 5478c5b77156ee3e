"""Host code is compiled once a version, and not once a call.

It arrives as an archive that Python can run, which would be compiled anew each time: as long as all else that a short
call does. It is kept on the host, compiled, in a directory that Python can run as well, under the digest that the
controller calls it by. Where that cannot be, the archive does.
"""

from __future__ import annotations

import contextlib
import os
import py_compile
import sys
import tempfile
import time
import zipfile

ROOT = "/var/lib/stead"  # there once the host is prepared: nothing is kept on others
CODE = "/var/cache/stead/code"
KEPT = 5
PARTIAL = "."  # how the name of what is just being made, or removed, begins
LONG = 86_400.0  # seconds after which nobody is at it any more


def use(root: str = ROOT, code: str = CODE) -> None:
    """First thing in what is run. An archive, whose first argument is its digest, becomes what is kept of it."""
    running = sys.path[0]
    if os.path.isdir(running):
        with contextlib.suppress(OSError):  # a disk that cannot be written any more is seen all the same
            os.utime(running)
        return
    digest = sys.argv.pop(1)
    if os.path.isdir(root):
        with contextlib.suppress(OSError):  # a full disk, or one that cannot be written
            words = [sys.executable, "-I", _kept(running, os.path.join(code, digest)), *sys.argv[1:]]
            os.execv(words[0], words)  # noqa: S606 - a program of its own, with what comes by standard input


def _kept(archive: str, place: str) -> str:
    """All of it or nothing, whoever else does the same at this moment, and whenever the power goes."""
    code = os.path.dirname(place)
    os.makedirs(code, mode=0o700, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=PARTIAL, dir=code) as temporary, zipfile.ZipFile(archive) as sources:
        new = os.path.join(temporary, "code")
        _compile(sources, new, place)
        try:
            os.rename(new, place)
        except OSError:
            if not os.path.isdir(place):
                raise
        _forget_older(code, temporary)
    return place


def _compile(sources: zipfile.ZipFile, new: str, place: str) -> None:
    """It is never compared with its source again, so it is on the disk before anybody can find it."""
    sources.extractall(new)
    for name in sources.namelist():
        mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
        final = os.path.join(place, name)
        py_compile.compile(os.path.join(new, name), dfile=final, doraise=True, invalidation_mode=mode)
    for folder, _folders, files in os.walk(new):
        for file in (*files, ""):
            handle = os.open(os.path.join(folder, file), os.O_RDONLY)
            os.fsync(handle)
            os.close(handle)


def _forget_older(code: str, temporary: str) -> None:
    """A version that still runs has read what it needs. None is ever there in part, as those of a killed run are."""
    places = {name: os.path.getmtime(os.path.join(code, name)) for name in os.listdir(code)}
    whole = sorted((name for name in places if not name.startswith(PARTIAL)), key=lambda name: places[name])
    killed = [name for name, made in places.items() if name.startswith(PARTIAL) and made < time.time() - LONG]
    for name in whole[:-KEPT] + killed:
        os.rename(os.path.join(code, name), os.path.join(temporary, name))
