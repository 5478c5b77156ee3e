"""Somebody whom a provider of the site knows."""

from __future__ import annotations

from stead.core.named import NamedTuple


class OutsideUser(NamedTuple):
    id: str  # which no other user of the provider has
    name: str
    mail: str
    groups: tuple[str, ...]  # names of those that the site's files name
    dn: str = ""  # of an entry in a directory


class ProviderAway(Exception):  # noqa: N818 - what it says of the provider
    """It does not answer, cannot be believed, or refuses the account of the site."""
