"""What a user may write of a key pair. Only its public half is ever told to Stead."""

from __future__ import annotations

from typing import Annotated

from stead.core.fields import Example, Text
from stead.core.value import value


@value
class Keypair:
    public_key: Annotated[
        str,
        Text(longest=16384, lines=True),
        "The public key, as in authorized_keys",
        Example("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBbPRsPmkUa1kHT3Hso8PdAzHTOZ0eUqVx4CWhZfzd2Y ada"),
    ]
    description: Annotated[str, Text(lines=True), "For people"] = ""
