"""The name of a resource: `acme/instances/web[0]`, `images/debian-12`. It knows no kind."""

from __future__ import annotations

import re

from stead.core.named import NamedTuple

# A name is a DNS label, because names of instances resolve. So is a key of `for_each`, so `[7]` is always a count.
NAME = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
LONGEST_COUNT = 9  # digits
_TEXT = re.compile(
    rf"(?:(?P<project>{NAME.pattern})/)?(?P<kind>[a-z_]+)/(?P<name>[A-Za-z0-9._-]+)(?:\[(?P<key>[^\]]+)\])?"
)


class Address(NamedTuple):
    project: str  # empty for what belongs to the site
    kind: str  # the plural, as in the document: "instances"
    name: str
    key: int | str | None = None  # which of `count` or `for_each`

    def __str__(self) -> str:
        project, kind, name, key = self
        stem = f"{project}/{kind}/{name}" if project else f"{kind}/{name}"
        return stem if key is None else f"{stem}[{key}]"

    @property
    def block(self) -> Address:
        """The address of the block that has this member."""
        return self if self.key is None else Address(self.project, self.kind, self.name)

    @property
    def label(self) -> str:
        """A flat name for hosts and DNS: `web-0`."""
        return self.name if self.key is None else f"{self.name}-{self.key}"


def order(address: Address) -> tuple[str, str, str, int, str]:
    """Natural order: the site first, and `web[2]` before `web[10]`."""
    project, kind, name, key = address
    if isinstance(key, int):
        return (project, kind, name, key, "")
    return (project, kind, name, -1, key or "")


def parse(text: str) -> Address | None:
    match = _TEXT.fullmatch(text)
    if match is None:
        return None
    key = match["key"]
    return Address(match["project"] or "", match["kind"], match["name"], key and key_of(key))


def key_of(text: str) -> int | str:
    """`7` is a count. Longer numbers, and digits of other scripts, are text."""
    return int(text) if text.isdigit() and text.isascii() and len(text) <= LONGEST_COUNT else text


class Known(dict[str, Address]):
    """Text to address for those who read what Stead itself wrote, by the hundred thousand: taken apart, not checked.

    Parts are shared: the members of a block have the same three strings.
    """

    def __init__(self) -> None:
        super().__init__()
        self._stems: dict[str, tuple[str, str, str]] = {}

    def __missing__(self, text: str) -> Address:
        stem, bracket, rest = text.partition("[")
        parts = self._stems.get(stem)
        if parts is None:
            parts = self._stems[stem] = _parts(stem)
        if not bracket:
            return Address(*parts)
        key = rest[:-1]
        return Address(*parts, key_of(key))


def _parts(stem: str) -> tuple[str, str, str]:
    first, second, *third = stem.split("/")
    return (first, second, third[0]) if third else ("", first, second)
