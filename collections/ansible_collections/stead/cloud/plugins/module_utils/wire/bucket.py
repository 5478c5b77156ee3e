# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When two buckets differ, as their store has them."""

from __future__ import annotations

from typing import List, TypedDict

from .compare import compare
from .parts import Identified

__all__ = ["compare"]


class StoreRef(TypedDict, total=False):
    address: str
    driver: str
    uuid: str


class CorsWant(TypedDict, total=False):
    origins: List[str]
    max_age: int
    expose_headers: List[str]


class WebsiteWant(TypedDict, total=False):
    index: str
    error: str


class BucketWant(Identified, total=False):
    account: str
    account_quota: int  # of all that its project has there
    bucket: str
    store: StoreRef
    quota: int
    objects: int
    versioning: bool
    public: bool
    cors: CorsWant
    website: WebsiteWant
