"""The section `site`, read."""

from __future__ import annotations

from stead.core.diagnostics import Diagnostic
from stead.language.desired.identity_rules import below, check_identity
from stead.language.desired.model import Site
from stead.language.document import Node
from stead.language.reading import OUT_OF_RANGE, Reading, read_model
from stead.language.reading.readers import FAILED


def read_site(node: Node | None, reading: Reading, found: list[Diagnostic]) -> Site:
    if node is None:
        return Site()
    site = read_model(Site, node, reading)
    if site is FAILED:
        found += reading.found
        return Site()
    for first, last in (("vni_first", "vni_last"), ("vlan_first", "vlan_last")):
        low, high = getattr(site, first), getattr(site, last)
        if low > high:
            reading.tell(
                OUT_OF_RANGE, node.place_of(first), f"{first} is {low} and {last} {high}: there is none between."
            )
    if site.identity is not None:
        check_identity(site.identity, below(node, "identity"), reading)
    found += reading.found
    made: Site = site
    return made
