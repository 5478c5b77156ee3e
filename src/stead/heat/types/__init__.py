"""Heat's resource types, one file for each family. Groups and nested templates are in `nested`."""

from __future__ import annotations

from collections.abc import Mapping

from stead.heat.handler import Handler
from stead.heat.types import compute, networks, routers, security, site, software, volumes

TYPES: Mapping[str, Handler] = {
    **compute.TYPES,
    **networks.TYPES,
    **routers.TYPES,
    **security.TYPES,
    **volumes.TYPES,
    **software.TYPES,
    **site.TYPES,
}
