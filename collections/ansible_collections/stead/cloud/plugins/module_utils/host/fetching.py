"""Brings a file to this host: from a path or over HTTP, and only under a name that says it is not whole yet."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import os
import shutil
import subprocess
import urllib.error
import urllib.request

from .failing import Failed

CHUNK = 1 << 20
# Seconds without a byte before a server is given up.
SILENCE = 60
_OPENERS = {"gz": gzip.open, "xz": lzma.open, "bz2": bz2.open}


def fetch(source, target):
    """Into `target`. What is there already of an earlier try over HTTP is kept and gone on from."""
    if source.startswith(("http://", "https://")):
        return _download(source, target)
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        raise Failed("Cannot read {0}: {1}.".format(source, error.strerror)) from error
    return None


def _download(url, target):
    """The start may be of an older file at the same URL: the server is asked for the rest of the same one only."""
    mark = target + ".etag"
    have = os.path.getsize(target) if os.path.exists(target) and os.path.exists(mark) else 0
    request = urllib.request.Request(url, headers={"User-Agent": "stead"})  # noqa: S310 - http and https only, as checked
    if have:
        with open(mark, encoding="utf-8") as file:
            request.add_header("If-Range", file.read())
        request.add_header("Range", "bytes={0}-".format(have))
    try:
        with urllib.request.build_opener().open(request, timeout=SILENCE) as answer:
            _keep_mark(mark, answer.headers.get("ETag", ""))
            with open(target, "ab" if answer.status == 206 else "wb") as file:
                shutil.copyfileobj(answer, file, CHUNK)
                expected = answer.headers.get("Content-Range", "").rpartition("/")[2]
                expected = expected or answer.headers.get("Content-Length", "")
        if expected.isdigit() and os.path.getsize(target) != int(expected):
            raise Failed("{0} broke off after {1} of {2} bytes.".format(url, os.path.getsize(target), expected))
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:  # it was whole already
            return
        raise Failed("{0} answers {1} {2}.".format(url, error.code, error.reason)) from error
    except (urllib.error.URLError, OSError) as error:
        raise Failed("Cannot fetch {0}: {1}.".format(url, getattr(error, "reason", error))) from error


def _keep_mark(path, text):
    """Without a strong mark of the server's the next try begins anew."""
    if text and not text.startswith("W/"):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    elif os.path.exists(path):
        os.unlink(path)


def digest(path, algorithm="sha256"):
    found = hashlib.new(algorithm)
    with open(path, "rb") as file:
        for part in iter(lambda: file.read(CHUNK), b""):
            found.update(part)
    return found.hexdigest()


def verify(path, checksum, named):
    """`sha256:…`, or nothing where nobody gave one."""
    if not checksum:
        return
    algorithm, _colon, wanted = checksum.partition(":")
    found = digest(path, algorithm)
    if found != wanted.lower():
        text = "{0} has checksum {1}:{2}, but {1}:{3} is wanted. It is refused: correct `checksum`, or the file."
        raise Failed(text.format(named, algorithm, found, wanted))


def expand(path, compression, target):
    """Unpacks; the packed file is left."""
    try:
        if compression == "zst":
            with open(target, "wb") as file:
                subprocess.run(["zstd", "-dcq", path], stdout=file, stderr=subprocess.PIPE, check=True)
            return
        with _OPENERS[compression](path, "rb") as packed, open(target, "wb") as file:
            shutil.copyfileobj(packed, file, CHUNK)
    except FileNotFoundError as error:
        raise Failed("zstd is not installed on this host, and {0} needs it.".format(path)) from error
    except subprocess.CalledProcessError as error:
        raise Failed("Cannot unpack: {0}".format(error.stderr.decode(errors="replace").strip())) from error
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise Failed("Cannot unpack as {0}: {1}.".format(compression, error)) from error
