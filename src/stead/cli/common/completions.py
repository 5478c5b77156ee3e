"""What someone who types may mean: addresses, hosts and names of the site at hand.

A mistake in spec, inventory or store must not disturb them: then there is less to offer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

from stead.cli.common.workspace import Workspace, open_state, read_hosts, read_spec
from stead.core.diagnostics import Refused

Offer = Callable[[Workspace], list[str]]


def addresses(workspace: Workspace) -> list[str]:
    """Of the store, and of the spec where it can be read."""
    found: set[str] = set()
    for read in (
        lambda: open_state(workspace).recorded().resources,
        lambda: read_spec(workspace)[0].by_address,
    ):
        with suppress(Refused, OSError):
            found.update(map(str, read()))
    return sorted(found)


def hosts(workspace: Workspace) -> list[str]:
    return _tried(lambda: sorted(read_hosts(workspace)[0].hosts))


def projects(workspace: Workspace) -> list[str]:
    return _tried(lambda: [block.name for block in read_spec(workspace)[0].of_kind("projects")])


def outputs(workspace: Workspace) -> list[str]:
    return _tried(lambda: sorted(open_state(workspace).outputs()))


def kinds(_workspace: Workspace) -> list[str]:
    from stead.kinds import kinds as all_kinds

    return sorted(all_kinds())


def _tried(read: Callable[[], Iterable[str]]) -> list[str]:
    with suppress(Refused, OSError):
        return list(read())
    return []


# By the name that an option or a word has in its command.
KNOWN: Mapping[str, Offer] = {
    **dict.fromkeys(("target", "exclude", "replace", "rebuild", "address", "what", "old", "new"), addresses),
    **dict.fromkeys(("host", "without"), hosts),
    "project": projects,
    "kind": kinds,
    "name": outputs,
}
