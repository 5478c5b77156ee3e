"""A host is not a member of the networks of its guests: of what a guest sends, only the switch gets anything.

The switch in userspace takes frames beside the kernel, which would otherwise answer them: it has the same device.
"""

from __future__ import annotations

import os
import threading
from typing import List, Optional

from ...base import paths
from ...base.work import Work
from .. import rules
from . import naming

TABLES = ("inet stead_guests", "arp stead_guests")
PATH = os.path.join(paths.ROOT, "guests.nft")
_changing = threading.Lock()  # the steps of a host are done a few at once
HOOKS = {"inet": "type filter hook prerouting priority -400;", "arp": "type filter hook input priority 0;"}


def ensure(work: Work) -> None:
    """From the day that the host is prepared; each network of it looks."""
    text = "".join(line + "\n" for table in TABLES for line in _lines(table))
    with _changing:
        if not rules.same(PATH, text, _listing(work), work):
            rules.give(PATH, text, text, lambda: _listing(work), work)


def _lines(table: str) -> List[str]:
    drop = 'iifname "{0}*" drop'.format(naming.TAP)
    return ["add table " + table, *rules.anew(table, "guests", HOOKS[table.split(maxsplit=1)[0]], drop)]


def _listing(work: Work) -> Optional[rules.Listing]:
    found = [work.now.listing(table) for table in TABLES]
    return None if None in found else [one for listing in found for one in listing or ()]
