"""The form of a notice's want, and when two differ. Planner and hosts both use it: standard library, Python 3.9."""

from __future__ import annotations

from typing import TypedDict

from ansible_collections.stead.cloud.plugins.module_utils.wire.compare import compare

__all__ = ["NoticeWant", "compare"]


class NoticeWant(TypedDict, total=False):
    name: str
    uuid: str
    text: str
