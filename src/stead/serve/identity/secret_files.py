"""Files with one secret, that only their owner may read."""

from __future__ import annotations

import os
import ssl
import stat

from stead.core.diagnostics import Code, Refused

BAD_FILE = Code("STEAD-C106", "a file of an identity provider cannot be used")
LONGEST = 4096  # bytes


def secret_of(path: str) -> str:
    """Its first line. Looked at through the open file, so that nobody changes it in between."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - its descriptor is looked at
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            text = file.read(LONGEST).decode().partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise Refused(BAD_FILE.at(None, f"{path}: {why}. Name a file that the server can read.")) from error
    if mode & 0o077:
        text = f"Others than its owner may read {path}. It holds a password: run `chmod 600 {path}`."
        raise Refused(BAD_FILE.at(None, text))
    if not text:
        raise Refused(BAD_FILE.at(None, f"{path} is empty. Write the password into it, on one line."))
    return text


def must_be_certificates(path: str) -> None:
    try:
        ssl.create_default_context(cafile=path)
    except ssl.SSLError as error:
        text = f"{path} has no certificate in PEM. Name the file of the authority's certificates."
        raise Refused(BAD_FILE.at(None, text)) from error
    except OSError as error:
        raise Refused(BAD_FILE.at(None, f"{path}: {error.strerror}. Name a file that the server can read.")) from error
