"""What several controllers have in common, so that each of them is the same API: authorities, and the store's key."""

from __future__ import annotations

import os
import secrets
from typing import Any, Dict, Mapping

from ..base import paths
from ..base.errors import Failed, FailureCode
from ..base.step import Want
from ..base.work import Work
from . import certificates

STRANGE = FailureCode("STEAD-E026", "what controllers share cannot be kept")

KEY = "/etc/stead/store/key"
AUTHORITIES = {certificates.STORE_AUTHORITY: "Stead store", certificates.API_AUTHORITY: "Stead API"}
NAMES = ("key.pem", certificates.CA)
BYTES = 32
GROUP = "stead-store"  # PostgreSQL, etcd, and the API


def share(want: Want, work: Work) -> Dict[str, Any]:
    """`made`: nobody has given it any of it before, so what another one has goes before."""
    given: Mapping[str, str] = want.get("content") or {}
    if given:
        _take(given, work)
    made = not os.path.exists(KEY)
    for folder, name in AUTHORITIES.items():
        certificates.authority(work, folder, name)
    if not os.path.exists(KEY):
        work.directory(os.path.dirname(KEY), 0o755)
        work.write(KEY, secrets.token_hex(BYTES) + "\n", paths.PRIVATE)
    if not work.check:
        certificates.give(KEY, GROUP)
    return {"made": made, "content": {path: (paths.read_bytes(path) or b"").decode() for path in _files()}}


def _files() -> Any:
    return [KEY, *(os.path.join(folder, name) for folder in sorted(AUTHORITIES) for name in NAMES)]


def _take(given: Mapping[str, str], work: Work) -> None:
    if sorted(given) != sorted(_files()) or not all(given.values()):
        raise Failed(STRANGE, "Another controller told {0}.".format(", ".join(sorted(given))))
    for folder in AUTHORITIES:
        work.directory(folder, 0o700)
    work.directory(os.path.dirname(KEY), 0o755)
    for path, text in sorted(given.items()):
        work.write(path, text, paths.PRIVATE)
