"""What stands for a secret wherever it might be seen, and whose secret it is. Nothing here writes one anywhere.

The project is in the seal. So one that was copied into another project's want opens nothing there, and two projects
with the same secret cannot tell. It is the project and not the resource: members share what is sealed, and a new name
within the project (`moved`) is no new secret.
"""

from __future__ import annotations

from collections.abc import Iterator

from stead.core.fields import Secret
from stead.core.recorded import Recorded
from stead.core.want import UNKNOWN, canonical, sealed_in

LENGTH = 32  # hexadecimal digits


class Seals:
    def __init__(self, key: bytes, recorded: Recorded) -> None:
        self.opened: dict[tuple[str, str], str] = {}  # (project, id) -> plain text
        self._key, self._recorded = key, recorded
        self._earlier: frozenset[tuple[str, str]] | None = None

    def seal(self, secret: Secret, project: str) -> dict[str, str]:
        """Keyed, so that it cannot be guessed at from a plan."""
        if not self._key:  # of a plan that may know no secret: all are alike, here and in what it goes by
            return {"$secret": UNKNOWN}
        plain = secret.reveal()
        made = self._hashed(plain)  # as it was before seals had a project: nothing is made anew for the new form
        if (project, made) not in self._before():
            made = self._hashed(f"{project}\0{plain}")
        self.opened[project, made] = plain
        return {"$secret": made}

    def _hashed(self, text: str) -> str:
        import hmac  # with OpenSSL: only who has secrets pays for it

        return hmac.new(self._key, text.encode(), "sha256").hexdigest()[:LENGTH]

    def _before(self) -> frozenset[tuple[str, str]]:
        if self._earlier is None:
            self._earlier = frozenset(self._recorded_ones())
        return self._earlier

    def _recorded_ones(self) -> Iterator[tuple[str, str]]:
        for address, record in self._recorded.resources.items():
            for want in record.wants.values():
                for one in sealed_in(want.body.text) | sealed_in(want.own):
                    yield address.project, one
        for one in sealed_in(canonical(dict(self._recorded.outputs))):
            yield "", one
