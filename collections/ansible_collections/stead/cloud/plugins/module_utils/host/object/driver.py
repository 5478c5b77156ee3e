"""What a driver of object stores is to the rest of the host code: how it makes a store here, and buckets in it."""

from __future__ import annotations

from typing import NamedTuple, Optional, Protocol

from ..base.errors import FailureCode
from ..base.readings import Readings
from ..base.step import Want
from ..base.work import Work

UNKNOWN = FailureCode("STEAD-E520", "this host has no such driver of object stores")
NO_STORE = FailureCode("STEAD-E521", "the object store is not on this host")


class ObjectResource(Protocol):
    """One kind of resource by one driver."""

    def ensure(self, want: Want, work: Work) -> None:
        """Makes the want, whatever exists now."""

    def remove(self, have: Want, work: Work) -> None:
        """With all objects."""

    def is_there(self, want: Want, now: Readings) -> bool:
        """Whether anything of it can be seen; what of it is otherwise, `ensure` in check mode tells."""

    def restore(self, want: Want, work: Work) -> None:
        """What a boot forgets."""


class HostObjectDriver(NamedTuple):
    name: str
    stores: ObjectResource
    buckets: Optional[ObjectResource]
