"""Asks publishers of images for their checksums, and believes no more of the answer than is certain."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from stead.catalogue import INLINE, Published, checksum_in, mirrored
from stead.core.diagnostics import Code, Refused

UNFETCHED = Code("STEAD-C101", "a publisher's checksum cannot be fetched")
NO_SUM = Code("STEAD-C102", "a publisher's checksum is missing")
BAD_SIGNATURE = Code("STEAD-C103", "a publisher's signature is not good")
LONGEST = 1 << 20  # bytes; a file of checksums has a few thousand
PATIENCE = 30  # seconds


def checksum_of(one: Published, mirrors: Mapping[str, str], keyring: Path | None) -> str:
    """As the publisher says it now. With a keyring, only what a key in it has signed."""
    url = mirrored(one.folder + one.sums, mirrors)
    text = fetched(url)
    if keyring is not None:
        text = _signed(one, text, mirrors, keyring)
    found = checksum_in(text.decode("utf-8", "replace"), one.file, one.algorithm)
    if not found:
        words = f"{url} has no {one.algorithm} of {one.file}, or two. The publisher may have renamed the file."
        raise Refused(NO_SUM.at(None, f"{words} Write an image with its own `source` and `checksum` instead."))
    return found


def fetched(url: str) -> bytes:
    from http.client import HTTPException
    from urllib.request import HTTPRedirectHandler, Request, build_opener

    class SafeRedirects(HTTPRedirectHandler):
        """From https to nothing else: who is on the way could say another checksum."""

        def redirect_request(self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
            if not newurl.startswith("https://") and not (newurl.startswith("http://") and req.type == "http"):
                raise ValueError(f"it leads on to {newurl[:200]}, which is not https")
            return super().redirect_request(req, fp, code, msg, headers, newurl)

    if not url.startswith(("https://", "http://")):
        raise Refused(UNFETCHED.at(None, f"{url} is not a URL that begins with https:// or http://."))
    try:
        asked = Request(url, headers={"User-Agent": "stead"})  # noqa: S310 - checked
        with build_opener(SafeRedirects).open(asked, timeout=PATIENCE) as answer:
            body: bytes = answer.read(LONGEST + 1)
    except (OSError, HTTPException, ValueError) as error:
        text = f"{url}: {error}. A site without a way out may have a mirror: `site: {{image_mirrors: …}}`."
        raise Refused(UNFETCHED.at(None, text)) from None
    if len(body) > LONGEST:
        raise Refused(UNFETCHED.at(None, f"{url} has more than {LONGEST >> 20} MiB, which no file of checksums has."))
    return body


def _signed(one: Published, text: bytes, mirrors: Mapping[str, str], keyring: Path) -> bytes:
    """The text that is signed: of a file that is signed itself, what stands around it is not."""
    if not one.signature:
        raise Refused(BAD_SIGNATURE.at(None, f"The publisher of {one.name} signs nothing. Leave out --keyring for it."))
    with TemporaryDirectory() as folder:
        sums, signature, checked = (Path(folder, name) for name in ("sums", "signature", "checked"))
        sums.write_bytes(text)
        files = [str(sums)]
        if one.signature != INLINE:
            signature.write_bytes(fetched(mirrored(one.folder + one.signature, mirrors)))
            files.insert(0, str(signature))
        more = ["--output", str(checked)] if one.signature == INLINE else []
        command = ["gpgv", "--status-fd", "1", "--keyring", str(keyring.resolve()), *more, "--", *files]
        try:
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=PATIENCE)  # noqa: PLW1510
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Refused(BAD_SIGNATURE.at(None, f"gpgv does not run: {error}. Install gpgv.")) from None
        if done.returncode != 0 or not _by_its_key(one, done.stdout):
            said = [line for line in done.stderr.splitlines() if line][-1:] if done.returncode else []
            why = said[0] if said else "another key has signed it, or one that has expired or was revoked"
            raise Refused(BAD_SIGNATURE.at(None, f"{one.name}: {why}. Nothing was written."))
        return checked.read_bytes() if one.signature == INLINE else text


def _by_its_key(one: Published, status: str) -> bool:
    """A signature by a key that was revoked is VALIDSIG as well, after REVKEYSIG in the place of GOODSIG."""
    is_good, signers = False, list[list[str]]()
    for line in status.splitlines():
        match line.split():
            case ["[GNUPG:]", "NEWSIG", *_]:
                is_good = False
            case ["[GNUPG:]", "GOODSIG", *_]:
                is_good = True
            case ["[GNUPG:]", "VALIDSIG", *words] if is_good:
                signers.append(words)
    return bool(signers) and (not one.key or any(one.key in (words[0], words[-1]) for words in signers))
