"""What a public key looks like. The key is not judged beyond its form: sshd does that."""

from __future__ import annotations

from collections.abc import Iterator

from stead.core.diagnostics import Code, Diagnostic, Severity
from stead.kinds.keypair.model import Keypair
from stead.language.desired import Block, Desired

NOT_A_KEY = Code("STEAD-I040", "this is not a public SSH key")
PRIVATE = Code("STEAD-I041", "this is a private key")
WEAK = Code("STEAD-I042", "servers refuse this type of key", Severity.WARNING)

TYPES = frozenset(
    {
        "ssh-ed25519",
        "ssh-rsa",
        "ssh-dss",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "sk-ssh-ed25519@openssh.com",
        "sk-ecdsa-sha2-nistp256@openssh.com",
    }
)


def check(block: Block, _desired: Desired) -> Iterator[Diagnostic]:
    model: Keypair = block.model
    place = block.place("public_key")
    text = model.public_key.strip()
    if "PRIVATE KEY" in text:
        yield PRIVATE.at(
            place,
            (
                "Everyone who can read the spec now has this key. Create a new key pair. Write the public "
                "half here, from the file that ends in `.pub`."
            ),
        )
        return
    words = text.split()
    type_ = next((word for word in words[:2] if word in TYPES), None)  # options may come first
    if type_ is None or "\n" in text:
        known = "ssh-ed25519, ssh-rsa or ecdsa-sha2-nistp256"
        how = "one line" if "\n" in text else f"a type such as {known}, and the key"
        yield NOT_A_KEY.at(place, f"A public key is {how}, as in a file that ends in `.pub`. Copy that line here.")
        return
    key = words[words.index(type_) + 1] if len(words) > words.index(type_) + 1 else ""
    if not _holds(key, type_):
        yield NOT_A_KEY.at(
            place, f"The text after {type_} is not such a key: it is incomplete or changed. Copy it again."
        )
    elif type_ == "ssh-dss":
        yield WEAK.at(place, "OpenSSH no longer accepts DSA keys. Make one with `ssh-keygen -t ed25519`.")


def _holds(key: str, type_: str) -> bool:
    """The key begins with its own type, behind its length."""
    from base64 import b64decode

    try:
        raw = b64decode(key, validate=True)
    except ValueError:  # among them binascii.Error
        return False
    length = int.from_bytes(raw[:4])
    return raw[4 : 4 + length] == type_.encode() and len(raw) > 4 + length
