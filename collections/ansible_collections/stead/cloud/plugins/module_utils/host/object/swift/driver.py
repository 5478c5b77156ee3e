"""The host's half of driver swift."""

from __future__ import annotations

from ..driver import HostObjectDriver
from .buckets import Buckets
from .stores import Stores

DRIVER = HostObjectDriver(name="swift", stores=Stores(), buckets=Buckets())
