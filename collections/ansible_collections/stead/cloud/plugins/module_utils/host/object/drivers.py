"""Which drivers of object stores there are on this host, and which of them a want is for.

Ansible packs what it sees imported: built-in drivers are listed here, and a site's own in its collection `stead.site`,
whose `module_utils/object.py` has a tuple `DRIVERS`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Mapping, Tuple

from ..base.errors import Failed
from .driver import UNKNOWN, HostObjectDriver, ObjectResource
from .swift.driver import DRIVER as SWIFT

try:
    from ansible_collections.stead.site.plugins.module_utils.object import DRIVERS as SITE  # type: ignore[import-not-found,import-untyped,unused-ignore]
except ImportError:
    SITE = ()

BUILT_IN: Tuple[HostObjectDriver, ...] = (SWIFT,)
DRIVERS: Mapping[str, HostObjectDriver] = MappingProxyType({one.name: one for one in (*SITE, *BUILT_IN)})


def named(name: str) -> HostObjectDriver:
    if name not in DRIVERS:
        text = "There is no code here for driver {0}. Install it as a part of stead.site, and run `stead bootstrap`."
        raise Failed(UNKNOWN, text.format(name))
    return DRIVERS[name]


def buckets(name: str) -> ObjectResource:
    found = named(name).buckets
    if found is None:
        raise Failed(UNKNOWN, "The driver {0} makes no buckets. Choose another one for the store.".format(name))
    return found
