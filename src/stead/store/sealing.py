"""Encryption of values at rest: AES-256-GCM under the site's key. Without a key, values pass unchanged.

What a value is for and whose it is are bound into it, so that a value moved to another column or row does not open.
Digests of wants stay readable in the store: they are how unchanged wants are passed over unopened.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Protocol

from stead.store.codes import WRONG_KEY, refuse

VARIABLE = "STEAD_STORE_KEY"
FILE_VARIABLE = "STEAD_STORE_KEY_FILE"
MARK = "~1~"  # before every sealed text; 1 is the form
PROOF = "stead"  # sealed when the store is born: opens only under the same key
_NONCE = 12


def of_leases(address: object) -> str:
    return f"leases {address}"


def of_body(digest: str) -> str:
    return f"body {digest}"


def of_own(address: object, host: str, digest: str) -> str:
    """With the digest of the whole want: the body that it names is no other's either."""
    return f"own {address} {host} {digest}"


def of_output(name: str) -> str:
    return f"output {name}"


def of_plan(digest: str) -> str:
    return f"plan {digest}"


def of_document(project: str, revision: int) -> str:
    return f"document {project} {revision}"


def of_identity(kind: str, name: str) -> str:
    return f"identity {kind} {name}"


def of_review(number: int) -> str:
    return f"review {number}"


def of_reviewed(number: int) -> str:
    return f"reviewed plan {number}"


def of_review_event(review: int, number: int) -> str:
    return f"review event {review} {number}"


class Seal(Protocol):
    @property
    def plain(self) -> bool: ...
    def close(self, text: str, what: str) -> str: ...
    def open(self, text: str, what: str) -> str: ...
    def close_bytes(self, content: bytes, what: str) -> bytes: ...
    def open_bytes(self, content: bytes, what: str) -> bytes: ...


class Open:
    """No key is configured: nothing is sealed."""

    plain = True

    def close(self, text: str, what: str) -> str:  # noqa: ARG002 - the protocol's
        return text

    def open(self, text: str, what: str) -> str:  # noqa: ARG002
        return text

    def close_bytes(self, content: bytes, what: str) -> bytes:  # noqa: ARG002
        return content

    def open_bytes(self, content: bytes, what: str) -> bytes:  # noqa: ARG002
        return content


class Sealed:
    plain = False

    def __init__(self, key: str, salt: str) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # 30 ms that only a sealed store pays

        self._cipher = AESGCM(key_bytes(key, salt))

    def close(self, text: str, what: str) -> str:
        import base64

        return MARK + base64.b64encode(self.close_bytes(text.encode(), what)).decode()

    def open(self, text: str, what: str) -> str:
        import base64

        return self.open_bytes(base64.b64decode(text.removeprefix(MARK)), what).decode()

    def close_bytes(self, content: bytes, what: str) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, content, what.encode())

    def open_bytes(self, content: bytes, what: str) -> bytes:
        from cryptography.exceptions import InvalidTag

        try:
            return self._cipher.decrypt(content[:_NONCE], content[_NONCE:], what.encode())
        except InvalidTag:
            refuse(
                WRONG_KEY,
                f"A value ({what}) does not open under the key that was given. Use the key that the store was made "
                f"with (${VARIABLE} or ${FILE_VARIABLE}).",
            )


def key_bytes(key: str, salt: str) -> bytes:
    """64 hexadecimal digits are a key as they are; anything else is a passphrase and is stretched."""
    if re.fullmatch(r"[0-9a-fA-F]{64}", key):
        return bytes.fromhex(key)
    import hashlib

    return hashlib.scrypt(key.encode(), salt=salt.encode(), n=2**14, r=8, p=1, dklen=32)


def signing_key() -> bytes:
    """What plan files are signed with: made of the store's key, and empty without one."""
    from stead.core.blake2 import blake2b

    key, purpose = configured_key(), "stead: signs plans"
    return blake2b(key_bytes(key, purpose), key=purpose.encode(), digest_size=32).digest() if key else b""


def configured_key() -> str:
    """The key of the environment: itself, or the file that holds it. Empty when none is configured."""
    if text := os.environ.get(VARIABLE, ""):
        return text.strip()
    path = os.environ.get(FILE_VARIABLE, "")
    if not path:
        return ""
    try:
        text = Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        refuse(WRONG_KEY, f"The key file {path} (${FILE_VARIABLE}) cannot be read: {error.strerror}.")
    if not text:
        refuse(WRONG_KEY, f"The key file {path} (${FILE_VARIABLE}) is empty.")
    return text
