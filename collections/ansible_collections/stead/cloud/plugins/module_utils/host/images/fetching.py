"""Fetches a file from a path or over HTTP, under a name for incomplete files.

The server is not trusted: a file for which this host has no room is refused before the disk is full.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from typing import Any, BinaryIO, Optional

from ..base.errors import Failed, FailureCode
from .writing import CHUNK, pour, refuse_too_large

UNREADABLE = FailureCode("STEAD-E400", "an image file cannot be read")
NOT_FETCHED = FailureCode("STEAD-E401", "an image cannot be fetched")
BROKE = FailureCode("STEAD-E402", "the download of an image broke off")
UNPROVEN = FailureCode("STEAD-E403", "an https source redirects to a source without TLS")
BAD_CHECKSUM = FailureCode("STEAD-E404", "not a checksum")
OTHER_CONTENT = FailureCode("STEAD-E405", "an image has another checksum than requested")

LINK = FailureCode("STEAD-E416", "an image source is a link that leads out of its folder")
NO_FILE = FailureCode("STEAD-E417", "an image source is not a regular file")

# Seconds without a byte before a server is given up.
SILENCE = 60
# Seconds before each further try of a download that broke off. It goes on where it was.
PAUSES = (1, 4, 10)


class Broke(Failed):
    """The connection, after it was there: the rest may still come."""


def fetch(source: str, target: str, direct: bool = False) -> None:
    """Into `target`. What is there already of an earlier try over HTTP is kept and gone on from.

    `direct` passes by the proxies that the environment names: between hosts of one underlay there is none.
    """
    if not source.startswith(("http://", "https://")):
        _copy(source, target)
        return
    for pause in PAUSES:
        had = _size(target)
        try:
            _download(source, target, direct)
        except Broke:
            if _size(target) == had:
                raise
            time.sleep(pause)
        else:
            return
    _download(source, target, direct)


def _size(path: str) -> int:
    return os.path.getsize(path) if os.path.exists(path) else 0


def _copy(source: str, target: str) -> None:
    try:
        with _file(source) as file:
            refuse_too_large(source, os.fstat(file.fileno()).st_size, target)
            pour(file.read, target)
    except OSError as error:
        raise Failed(UNREADABLE, "Cannot read {0}: {1}.".format(source, error.strerror)) from error


def _file(source: str) -> BinaryIO:
    """A regular file, in or below the folder of the source. No link leads elsewhere; a device or a pipe has no end."""
    folder, real = os.path.realpath(os.path.dirname(source)), os.path.realpath(source)
    if not real.startswith(os.path.join(folder, "")):
        text = "{0} is a link to {1}, which is not below {2}. Name the file itself, or put it there."
        raise Failed(LINK, text.format(source, real, folder))
    file = open(os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")  # noqa: SIM115 - the caller closes it
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise Failed(NO_FILE, "{0} is not a regular file. Name a file.".format(source))


def _download(url: str, target: str, direct: bool) -> None:
    """The start may be of an older file at the same URL: the server is asked for the rest of the same one only."""
    import http.client  # here: whoever only looks at what is there would pay for a quarter of all its imports
    import urllib.error

    mark = target + ".etag"
    have = _size(target) if os.path.exists(mark) else 0
    try:
        with _opened(url, mark, have, direct) as answer:
            _keep_mark(mark, answer.headers)
            goes_on = answer.status == 206
            expected = answer.headers.get("Content-Range", "").rpartition("/")[2]
            expected = expected or answer.headers.get("Content-Length", "")
            if expected.isdigit():
                refuse_too_large(url, int(expected) - (have if goes_on else 0), target)
            pour(answer.read, target, have if goes_on else 0)
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:  # it was whole already
            return
        raise Failed(NOT_FETCHED, "{0} answers {1} {2}.".format(url, error.code, error.reason)) from error
    except urllib.error.URLError as error:
        raise Failed(
            NOT_FETCHED, "Cannot fetch {0}: {1}.{2}".format(url, error.reason, _about(error.reason))
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise Broke(BROKE, "{0} broke off: {1}.".format(url, error)) from error
    except ValueError as error:
        raise Failed(NOT_FETCHED, "Cannot fetch {0}: {1}.".format(url, error)) from error
    if expected.isdigit() and os.path.getsize(target) != int(expected):
        raise Broke(BROKE, "{0} broke off after {1} of {2} bytes.".format(url, os.path.getsize(target), expected))


def _opened(url: str, mark: str, have: int, direct: bool) -> Any:
    import urllib.request

    request = urllib.request.Request(url, headers={"User-Agent": "stead"})  # noqa: S310 - http and https only, as checked
    if have:
        with open(mark, encoding="utf-8") as file:
            request.add_header("If-Range", file.read())
        request.add_header("Range", "bytes={0}-".format(have))

    class Guarded(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
            if req.full_url.startswith("https:") and not newurl.startswith("https:"):
                text = "{0} redirects to {1}, which has no TLS. Name an https source, or that source directly."
                raise Failed(UNPROVEN, text.format(url, newurl))
            return super().redirect_request(req, fp, code, msg, headers, newurl)

    handlers = [Guarded] + ([urllib.request.ProxyHandler({})] if direct else [])
    return urllib.request.build_opener(*handlers).open(request, timeout=SILENCE)


def _about(reason: object) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in str(reason):
        return " Add the authority that signed it to those that this host trusts."
    return ""


def _keep_mark(path: str, headers: Any) -> None:
    """Without a strong mark of the server's the next try begins anew."""
    text = headers.get("ETag", "")
    if not text or text.startswith("W/"):
        text = headers.get("Last-Modified", "")
    if text:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    elif os.path.exists(path):
        os.unlink(path)


def digest(path: str, algorithm: str = "sha256") -> str:
    found = hashlib.new(algorithm)
    with open(path, "rb") as file:
        for part in iter(lambda: file.read(CHUNK), b""):
            found.update(part)
    return found.hexdigest()


def verify(path: str, checksum: Optional[str], named: str) -> None:
    """`sha256:…`, or nothing where nobody gave one."""
    if not checksum:
        return
    algorithm, _colon, wanted = checksum.partition(":")
    if not wanted or algorithm not in hashlib.algorithms_available:
        raise Failed(BAD_CHECKSUM, "{0!r} is not a checksum. Write sha256: and the digits.".format(checksum))
    found = digest(path, algorithm)
    if found != wanted.lower():
        text = "{0} has checksum {1}:{2}, but {1}:{3} is wanted. It is refused: correct `checksum`, or the file."
        raise Failed(OTHER_CONTENT, text.format(named, algorithm, found, wanted))
