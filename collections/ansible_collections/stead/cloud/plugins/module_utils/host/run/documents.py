"""What this host keeps of projects of the API, one file for each: /var/lib/stead/documents/<project>.json.

Otherwise only the store has their documents. If the store loses one, the hosts still report that the project exists,
so it is not destroyed because its document was lost. Controllers keep them whole, sealed with the site's key.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any, Dict, List, Mapping, Optional

from ..base import paths
from ..base.errors import Failed, FailureCode

BAD_NAME = FailureCode("STEAD-E022", "a project's document cannot have this name")

FOLDER = paths.ROOT + "/documents"
_NAME = re.compile(r"[a-z][a-z0-9-]*\Z")  # becomes a part of a path
_ENDING = ".json"
KeptDocument = Dict[str, Any]  # revision, 0 where no more is known than whose the project is; content


def keep(told: Mapping[str, Optional[Mapping[str, Any]]], site: str) -> None:
    """Nothing is kept of a project of which nothing is told."""
    for project, one in told.items():
        if one is None:
            paths.remove(_path(project))
        else:
            made = {"site": site, "revision": int(one["revision"]), "content": str(one["content"])}
            paths.write(_path(project), json.dumps(made, sort_keys=True) + "\n")


def kept(site: str, unread: List[str]) -> Dict[str, KeptDocument]:
    """By project. Of a file that cannot be read, that is told, and its project is the API's all the same."""
    found: Dict[str, KeptDocument] = {}
    for name in _names():
        one: KeptDocument = {"revision": 0, "content": ""}
        try:
            said = json.loads(paths.read_bytes(os.path.join(FOLDER, name)) or b"null")
            if said["site"] != site:
                continue
            one = {"revision": int(said["revision"]), "content": str(said["content"])}
        except (ValueError, KeyError, TypeError) as error:
            text = "{0}/{1} cannot be read ({2}). Remove it; `stead apply` writes it again."
            unread.append(text.format(FOLDER, name, error))
        found[name[: -len(_ENDING)]] = one
    return found


def anything(site: str) -> bool:
    """Whether a document is here: the mere word that there is one is worth nothing where nothing else is."""
    return any(one["revision"] for one in kept(site, []).values())


def release() -> None:
    for name in _names():
        paths.remove(os.path.join(FOLDER, name))


def _names() -> List[str]:
    try:
        return sorted(name for name in os.listdir(FOLDER) if name.endswith(_ENDING) and not name.startswith("."))
    except FileNotFoundError:
        return []


def _path(project: str) -> str:
    if not _NAME.match(project):
        text = "{0!r} is not a name of a project. Names have lower case letters, digits and dashes."
        raise Failed(BAD_NAME, text.format(project))
    return os.path.join(FOLDER, project + _ENDING)
