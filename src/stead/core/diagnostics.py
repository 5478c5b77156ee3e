"""What Stead says to a person: a permanent code, a fixed summary, a detail, and a place in their file.

Stages return diagnostics beside their value; nothing here prints or raises. `Refused` is for the effects (store,
runner, command line), where there is no value to return beside.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from stead.core.named import NamedTuple
from stead.core.value import value


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


class Place(NamedTuple):
    """Where a value stands in the user's files; line and column count from 1, as editors do."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@value
class Diagnostic:
    code: str
    severity: Severity
    summary: str
    detail: str
    place: Place | None = None
    address: str = ""


class Code(NamedTuple):
    """One sort of error. `id` and `summary` never change after a release: people search for them."""

    id: str
    summary: str
    severity: Severity = Severity.ERROR

    def at(self, place: Place | None, detail: str, *, address: str = "") -> Diagnostic:
        """A diagnostic of this code. The detail says what is wrong, why, and how to mend it."""
        return Diagnostic(
            code=self.id, severity=self.severity, summary=self.summary, detail=detail, place=place, address=address
        )


class Refused(Exception):  # noqa: N818 - a refusal is not a fault of the program
    """An effect cannot continue, with the diagnostic for the user. Only the command line catches this."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__("; ".join(f"{d.code} {d.detail}" for d in diagnostics))
        self.diagnostics = diagnostics


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    return any(d.severity is Severity.ERROR for d in diagnostics)


def in_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """In the order of the file, so that output does not depend on the order in which they were found."""
    return sorted(diagnostics, key=lambda d: (d.place or Place("", 0, 0), d.code, d.address, d.detail))
