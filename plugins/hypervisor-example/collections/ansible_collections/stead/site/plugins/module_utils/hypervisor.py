"""The hosts' half of the site's hypervisors: `DRIVERS` is what Stead's host code looks for."""

from __future__ import annotations

from ansible_collections.stead.site.plugins.module_utils import cloud_hypervisor

DRIVERS = (cloud_hypervisor.DRIVER,)
