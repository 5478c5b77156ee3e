"""The one way in which host code fails on purpose: with a permanent code and a sentence for people.

Codes of hosts are of the family STEAD-E, and each family of files has its hundred: 0 base, run, observe and prepare,
1 storage, 2 networks, 3 hypervisors and instances, 4 images, 5 modules. `docs/diagnostics.md` is made from them.
"""

from __future__ import annotations

from typing import NamedTuple, Optional, Union


class Code(NamedTuple):
    """A kind of failure. Both never change once released: people search for them."""

    id: str
    summary: str


class Failed(Exception):  # noqa: N818 - names what happened
    """A step cannot be done. The text says what is wrong, why, and how to mend it."""

    def __init__(self, code: Union[Code, str], text: str = "") -> None:
        # A text alone is the form of files that have no codes yet.
        self.code: Optional[Code] = code if isinstance(code, Code) else None
        self.text: str = text if isinstance(code, Code) else code
        super().__init__("{0}: {1}".format(self.code.id, self.text) if self.code is not None else self.text)

    def told_of(self, what: str) -> Failed:
        """The same failure, with what it is about before its text."""
        text = "{0}: {1}".format(what, self.text)
        return type(self)(self.code or text, text)
