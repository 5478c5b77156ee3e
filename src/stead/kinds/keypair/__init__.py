"""A public SSH key that instances accept at their first boot."""

from stead.kind import Kind, Scope
from stead.kinds.keypair.model import Keypair
from stead.kinds.recording import recorded_only

KIND = Kind(
    name="keypair",
    plural="keypairs",
    scope=Scope.EITHER,
    model=Keypair,
    help="A public SSH key that instances accept at their first boot.",
    realise=recorded_only,
)
