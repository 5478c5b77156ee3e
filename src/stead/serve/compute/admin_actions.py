"""What an admin does to servers of projects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from stead.core.observed import HostStatus
from stead.serve.checking import checker
from stead.serve.compute.moving import MIGRATE, MIGRATE_LIVE
from stead.serve.edits import Edit
from stead.serve.faults import conflict, forbidden, not_built
from stead.serve.notes import RESET, note
from stead.serve.routes import Call, record
from stead.serve.world import CloudState, KnownResource

_CHECK_STATE = checker(record(["state"], state={"enum": ["active", "error"]}))


def reset_state(_call: Call, _world: CloudState, thing: KnownResource, said: Any) -> Edit:
    """A word of the admin's, until the state is changed by a request. `active` takes it back: it is then what it is."""
    _CHECK_STATE(said)
    return note(thing.address.name, **{RESET: "error" if said["state"] == "error" else None})


def evacuate(call: Call, _world: CloudState, thing: KnownResource, _said: Any) -> Edit:
    host = call.cloud.observed.hosts.get(thing.host)
    if host is not None and host.state.answers:
        raise conflict(f"The host of instance {thing.id} answers: nothing has to be evacuated.")
    if host is not None and host.state is not HostStatus.DEAD:
        raise conflict(
            f"The host of instance {thing.id} does not answer, and may still run it. It must be fenced first."
        )
    raise not_built("The site's people start elsewhere what a dead host ran: `stead evacuate`.")


ACTIONS: Mapping[str, Callable[[Call, CloudState, KnownResource, Any], Edit]] = {
    "os-resetState": reset_state,
    "evacuate": evacuate,
}
UNBUILT = frozenset({"injectNetworkInfo", "resetNetwork"})
NAMES = frozenset({*ACTIONS, *UNBUILT, MIGRATE, MIGRATE_LIVE})  # which no role of the site's files is given


def must_be_admin(call: Call) -> None:
    if not call.caller.admin and not NAMES.isdisjoint(call.body):
        raise forbidden("This action is an admin's.")
