"""The only way in which host code fails on purpose: with a permanent code and a sentence for users.

Codes of hosts begin with STEAD-E, and each group of files has its own hundred: 0 base, run, observe and prepare,
1 storage, 2 networks, 3 hypervisors and instances, 4 images, 5 modules. `docs/diagnostics.md` lists them.
"""

from __future__ import annotations

from typing import NamedTuple, Optional, Union


class FailureCode(NamedTuple):
    """One sort of failure. Its fields never change after a release: people search for them."""

    id: str
    summary: str


class Failed(Exception):  # noqa: N818 - names what happened
    """A step cannot be done. The text says what is wrong, why, and how to correct it."""

    def __init__(self, code: Union[FailureCode, str], text: str = "") -> None:
        # A text alone, for files that have no codes yet.
        self.code: Optional[FailureCode] = code if isinstance(code, FailureCode) else None
        self.text: str = text if isinstance(code, FailureCode) else code
        super().__init__("{0}: {1}".format(self.code.id, self.text) if self.code is not None else self.text)

    def told_of(self, what: str) -> Failed:
        """The same failure, with its subject before the text."""
        text = "{0}: {1}".format(what, self.text)
        return type(self)(self.code or text, text)
