"""The hosts' half of the site's network drivers: `DRIVERS` is what Stead's host code looks for."""

from __future__ import annotations

from ansible_collections.stead.site.plugins.module_utils import openvswitch

DRIVERS = (openvswitch.DRIVER,)
