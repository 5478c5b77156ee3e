"""Secrets that nobody has to think of or to keep: they follow from the site's key, and from where they are declared.

So each plan finds the same one, nothing is stored, and whoever has the key can have it told. Without the key nobody can
guess it. Projects, and what the site's files say of a project and what its own say, are apart.
"""

from __future__ import annotations

import json
import string
from typing import Annotated, Literal

from stead.core.fields import Example, Secret
from stead.core.value import value
from stead.language.spec import VariableScope

LETTERS_AND_DIGITS = string.ascii_letters + string.digits
ALPHABETS = {
    "alphanumeric": LETTERS_AND_DIGITS,
    "digits": string.digits,
    "hex": "0123456789abcdef",
    "symbols": LETTERS_AND_DIGITS + "!#%*+-.:=?@^_~",  # none that a shell, YAML or SQL ends a quoted text with
}
SHORTEST, LONGEST = 8, 256


@value
class Generate:
    """A secret that Stead makes up. It stays the same until `version` or another field changes, or the site's key."""

    length: Annotated[int, "Number of characters, from 8 to 256", Example(32)] = 24
    characters: Annotated[
        Literal["alphanumeric", "digits", "hex", "symbols"],
        "Which characters. `symbols` are letters, digits and !#%*+-.:=?@^_~",
    ] = "alphanumeric"
    version: Annotated[int, "Another number makes another secret", Example(2)] = 1


def generated(asked: Generate, key: bytes, scope: VariableScope, name: str) -> Secret:
    """Every character is as likely as every other: a byte that would favour some is passed over."""
    import hmac
    from hashlib import shake_256

    where = [scope.project, scope.prefix, scope.project_file, name, asked.length, asked.characters, asked.version]
    seed = hmac.digest(key, f"stead: generates\0{json.dumps(where)}".encode(), "sha256")
    alphabet = ALPHABETS[asked.characters]
    most = 256 - 256 % len(alphabet)
    found = [alphabet[byte % len(alphabet)] for byte in shake_256(seed).digest(8 * asked.length) if byte < most]
    return Secret("".join(found[: asked.length]))
