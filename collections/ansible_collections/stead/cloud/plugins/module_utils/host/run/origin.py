"""Which store this host was last written from: its site, its serial then, and the token of that run.

Two stores must not work on one host: what the one made, the other would take for somebody else's. A store of another
site, or one that is older than what this host has seen, is refused before anything is touched.
"""

from __future__ import annotations

import json
from typing import Optional, cast

from ..base import ledger, paths
from ..base.errors import Failed, FailureCode
from ..base.step import Origin
from . import documents

BAD_SITE = FailureCode("STEAD-S030", "the host does not say which site it belongs to")
OTHER_SITE = FailureCode("STEAD-S023", "the hosts belong to another site than the store")
OLDER_STORE = FailureCode("STEAD-S024", "the store is older than the records of the hosts")

PATH = paths.ROOT + "/site.json"
# The key that secrets are sealed with, on controllers alone: none of them has anything that is sealed.
KEY = paths.ROOT + "/key"


def read() -> Optional[Origin]:
    """Nothing where no run of a site has been here yet."""
    try:
        found = json.loads(paths.read_bytes(PATH) or b"null")
    except ValueError as error:
        text = "{0} is not JSON ({1}). `stead recover` says which site the other hosts belong to."
        raise Failed(BAD_SITE, text.format(PATH, error)) from error
    return cast("Origin", found) if isinstance(found, dict) else None


def key() -> str:
    """What the site seals secrets with, where this host keeps it."""
    return (paths.read_bytes(KEY) or b"").decode().strip()


def check(origin: Optional[Origin]) -> None:
    said = refusal(read(), origin)
    if said is not None:
        raise said


def refusal(has: Optional[Origin], origin: Optional[Origin]) -> Optional[Failed]:
    """Why a run may not work here, or nothing. `has` is what the host says, `origin` what the run says of itself; a
    single task that belongs to no site says nothing."""
    if not origin or has is None:
        return None
    if has["site"] != origin["site"]:
        text = (
            "This host belongs to site {0}, and the store of this run is that of site {1}. Nothing was "
            "done. Use the store of {0}; or, to take the host out of it, `stead bootstrap --leave-site --limit HOST`."
        )
        return Failed(OTHER_SITE, text.format(has["site"], origin["site"]))
    if has["token"] != origin["token"] and has["serial"] >= origin["serial"]:
        text = (
            "This host was written to by a run that this store does not know (serial {0}, and this run has"
            " {1}): the store is an old copy, or there are two of it. Nothing was done. Use the newer one, or complete"
            " this one with `stead recover --merge`."
        )
        return Failed(OLDER_STORE, text.format(has["serial"], origin["serial"]))
    return None


def release() -> None:
    """Who has nothing of a site's any more belongs to none: another store may begin there."""
    has = read()
    if not ledger.anything() and not (has and documents.anything(has["site"])):
        documents.release()
        paths.remove(PATH)
        paths.remove(KEY)


def keep(origin: Optional[Origin], key: str = "") -> None:
    if origin:
        paths.write(PATH, json.dumps(origin, sort_keys=True) + "\n")
    if key:
        paths.write(KEY, key + "\n")
