"""What hosts do of this site's own kinds."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Dict

from ansible_collections.stead.cloud.plugins.module_utils.host.base.kind import HostKind, Seen, nothing
from ansible_collections.stead.cloud.plugins.module_utils.host.base.step import HostStep
from ansible_collections.stead.cloud.plugins.module_utils.host.base.work import Work

from .notice_wire import NoticeWant

if TYPE_CHECKING:
    from ansible_collections.stead.cloud.plugins.module_utils.host.observe.looking import Look

FOLDER = "/etc/motd.d"
READABLE, OPEN = 0o644, 0o755


def path_of(uuid: str) -> str:
    return os.path.join(FOLDER, "stead-" + uuid)


def ensure(step: HostStep, work: Work) -> None:
    want: NoticeWant = step["want"]
    work.directory(FOLDER, OPEN)
    with work.part("text"):
        work.write(path_of(want["uuid"]), want["text"] + "\n", READABLE)


def remove(step: HostStep, work: Work) -> None:
    work.remove(path_of(step["uuid"]))


def seen(step: HostStep, look: Look) -> Seen:
    return look.differing(ensure, step) if os.path.exists(path_of(step["uuid"])) else None


# A boot forgets nothing of it: `nothing` is restored.
KINDS: Dict[str, HostKind] = {"notices": HostKind(ensure=ensure, remove=remove, seen=seen, restore=nothing)}
