"""What a task of a playbook says of one resource, for the modules that keep it on a host without a plan.

A module has an option for each field of the records `own`, and for each field of the kind's models that the want has
under the same name. So a new field of a kind becomes an option, with the text, type and default of the reference.
`own` is for what a host has to be told and a spec does not say: where others are, which addresses they have.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.core.named import NamedTuple
from stead.core.value import field, value


class Returned(NamedTuple):
    """A value that the module returns."""

    name: str
    type: str  # Ansible's word: "dict", "list of str"
    text: str
    when: str = "always"
    sample: Any = None


@value
class TaskForm:
    own: tuple[type[Any], ...]  # records; their texts are in Ansible's markup
    models: tuple[type[Any], ...] = ()  # the kind's
    want: type[Any] | None = None  # TypedDict of the wire
    defaults: Mapping[str, Any] = field(default_factory=dict)  # where a task's is not the spec's
    texts: Mapping[str, str] = field(default_factory=dict)  # the same: flavors, images and choices say nothing here
    without: Mapping[str, str] = field(default_factory=dict)  # fields that are no options, and why
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # where drivers say what there is
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    parts: Mapping[str, TaskForm] = field(default_factory=dict)  # options that are records of the same sort
    returned: tuple[Returned, ...] = ()


def kept(identity: str, of: str = "") -> tuple[Returned, ...]:
    """What every module returns that writes a resource to the host's ledger."""
    return (
        Returned("uuid", "str", f"Identity of {identity}."),
        Returned("before", "dict", f"What the host's ledger had{of} before. Empty when there was nothing."),
        Returned("after", "dict", f"What the ledger has{of} now, or would have after a run without check mode."),
        DONE,
    )


DONE = Returned("done", "list of str", "What was done, or would be done in check mode.")
