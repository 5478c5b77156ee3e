"""What a task of a playbook says of a snapshot."""

from __future__ import annotations

from typing import Annotated, Literal

from ansible_collections.stead.cloud.plugins.module_utils.wire.snapshot import SnapshotWant
from stead.core.task import TaskForm, kept
from stead.core.value import value
from stead.kinds.snapshot.model import Snapshot


@value
class SnapshotWords:
    name: Annotated[str, "Name of the snapshot"]
    project: Annotated[str, "Project that it belongs to"]
    volume: Annotated[
        str | None,
        "Name of the project's volume, kept on this host by M(stead.cloud.volume). Unless O(state=absent), this or "
        "O(instance) is required",
    ] = None
    instance: Annotated[
        str | None,
        "Name of the project's instance, kept on this host by M(stead.cloud.instance): all its disks at one moment",
    ] = None
    state: Annotated[Literal["present", "absent"], "Whether it exists"] = "present"


TASKS = {
    "snapshot": TaskForm(own=(SnapshotWords,), models=(Snapshot,), want=SnapshotWant, returned=kept("the snapshot"))
}
