"""What can be done to a server: each an edit of its instance. What is not an edit yet is told as such."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from stead.core.by_hand import SHELVED, by_hand
from stead.serve.compute import admin_actions
from stead.serve.compute.creation import group_named
from stead.serve.compute.resizing import confirm_resize, resize, revert_resize
from stead.serve.compute.servers import Status, notes_of
from stead.serve.edits import Content, Edit, all_of, change, entry_of, remove
from stead.serve.faults import bad, conflict, forbidden, not_built
from stead.serve.notes import LOCKED, RESET, forget, note
from stead.serve.routes import Call
from stead.serve.world import CloudState, KnownResource, ResourceStatus

UNBUILT = admin_actions.UNBUILT.union(
    [
        "addFixedIp",
        "changePassword",
        "os-getSPICEConsole",
        "removeFixedIp",
        "rescue",
        "trigger_crash_dump",
        "unrescue",
    ]
)
Action = Callable[[Call, CloudState, KnownResource, Any], Edit]


def changed(thing: KnownResource, **fields: Any) -> Edit:
    return lambda content: change(content, "instances", thing.address.name, fields)


def _not_by_hand(thing: KnownResource) -> None:
    """What the site's people stopped is theirs to start."""
    given = by_hand(thing.record.leases) if thing.record is not None else None
    if given is not None:
        raise conflict(f"Instance {thing.id} is locked: an administrator of the site has set it to {given.state}.")


def _be(verb: str, state: str, *must: str) -> Action:
    def action(_call: Call, world: CloudState, thing: KnownResource, _said: Any) -> Edit:
        _not_by_hand(thing)
        status = Status(world, thing)
        if thing.state is ResourceStatus.BUILDING or status.vm_state not in must:
            raise conflict(f"Cannot '{verb}' instance {thing.id} while it is in vm_state {status.vm_state}")
        return all_of(changed(thing, state=state), note(thing.address.name, **{RESET: None}))

    return action


def _reboot(_call: Call, world: CloudState, thing: KnownResource, said: Any) -> Edit:
    """Stopped and started by the next two plans. Soft and hard are the same: the guest is asked first, for a while."""
    if not isinstance(said, Mapping) or said.get("type") not in ("SOFT", "HARD", "soft", "hard"):
        raise bad("Argument 'type' for reboot is not HARD or SOFT")
    _not_by_hand(thing)
    status = Status(world, thing)
    if status.vm_state not in ("active", "resized"):
        raise conflict(f"Cannot 'reboot' instance {thing.id} while it is in vm_state {status.vm_state}")
    return note(thing.address.name, reboot=True, **{RESET: None})


def _offload(_call: Call, world: CloudState, thing: KnownResource, _said: Any) -> Edit:
    """Whoever is shelved has been taken off its host, so there is never anything left to do."""
    raise conflict(
        f"Cannot 'shelve_offload' instance {thing.id} while it is in vm_state {Status(world, thing).vm_state}"
    )


def _unshelve(call: Call, world: CloudState, thing: KnownResource, said: Any) -> Edit:
    if said:
        raise bad("Where a server comes back to is chosen: unshelve takes neither an availability_zone nor a host.")
    return _be("unshelve", "running", "shelved_offloaded")(call, world, thing, said)


def _add_group(call: Call, world: CloudState, thing: KnownResource, said: Any) -> Edit:
    group = group_named(world, call.project, _named(said))
    names = _groups(thing)
    return changed(thing, security_groups=[*names, group.address.name] if group.address.name not in names else names)


def _remove_group(call: Call, world: CloudState, thing: KnownResource, said: Any) -> Edit:
    group, names = group_named(world, call.project, _named(said)), _groups(thing)
    if group.address.name not in names:
        raise conflict(f"Security group {group.name} is not associated with the instance {thing.id}")
    return changed(thing, security_groups=[one for one in names if one != group.address.name])


def _named(said: Any) -> str:
    if not isinstance(said, Mapping) or not isinstance(said.get("name"), str):
        raise bad("A security group is named by `name`.")
    name: str = said["name"]
    return name


def _groups(thing: KnownResource) -> list[str]:
    groups = thing.model.security_groups
    return ["default"] if groups is None else [one.name for one in groups]


def _lock(call: Call, _world: CloudState, thing: KnownResource, _said: Any) -> Edit:
    return note(thing.address.name, **{LOCKED: "admin" if call.caller.admin else "owner"})


def _unlock(call: Call, world: CloudState, thing: KnownResource, _said: Any) -> Edit:
    if notes_of(world, thing).get(LOCKED) == "admin" and not call.caller.admin:
        raise forbidden(f"Instance {thing.id} was locked by an admin.")
    return note(thing.address.name, **{LOCKED: None})


def _restore(_call: Call, world: CloudState, thing: KnownResource, _said: Any) -> Edit:
    """What is deleted is gone at once, so nothing that is there waits to be restored."""
    raise conflict(f"Cannot 'restore' instance {thing.id} while it is in vm_state {Status(world, thing).vm_state}")


ACTIONS: Mapping[str, Action] = {
    "os-start": _be("start", "running", "stopped", "error", "resized"),
    "os-stop": _be("stop", "stopped", "active", "error", "resized"),
    "pause": _be("pause", "paused", "active"),
    "unpause": _be("unpause", "running", "paused"),
    "suspend": _be("suspend", "suspended", "active"),
    "resume": _be("resume", "running", "suspended"),
    "shelve": _be("shelve", SHELVED, "active", "stopped", "paused", "suspended"),
    "shelveOffload": _offload,
    "unshelve": _unshelve,
    "reboot": _reboot,
    "resize": resize,
    "confirmResize": confirm_resize,
    "revertResize": revert_resize,
    "lock": _lock,
    "unlock": _unlock,
    **admin_actions.ACTIONS,
    "restore": _restore,
    "addSecurityGroup": _add_group,
    "removeSecurityGroup": _remove_group,
}


UNLOCKED = frozenset({"lock", "unlock"})  # what a lock does not keep from


def action_of(call: Call, world: CloudState, thing: KnownResource) -> tuple[str, Edit]:
    body = call.body
    if not isinstance(body, Mapping) or len(body) != 1:
        raise bad("The body names one action.")
    (name, said) = next(iter(body.items()))
    if name in ACTIONS:
        return name, ACTIONS[name](call, world, thing, said)
    if name in UNBUILT:
        raise not_built(f"The action {name} is not built yet. docs/api.md lists what is.")
    raise bad(f"There is no such action: {str(name)[:60]}")


def _led_by(floating: Mapping[str, Any], gone: str) -> Mapping[str, Any]:
    if floating.get("instance") == gone:
        return {word: said for word, said in floating.items() if word not in ("instance", "inside")}
    if "forwards" not in floating:
        return floating
    left = [one for one in floating["forwards"] if _target(one["to"]) != gone]
    return {word: left if word == "forwards" else said for word, said in floating.items() if word != "forwards" or left}


def _target(to: str | Mapping[str, Any]) -> str:
    """Of a forward: a document that came from files may say it in short."""
    if isinstance(to, str):
        return to.rpartition(":")[0] or to
    return str(to["instance"])


def deleted(key: str, volumes: Iterable[str] = ()) -> Edit:
    """Floating IPs that led to it are kept, and lead nowhere, as do ports of them. `volumes` end with it."""

    def edit(content: Content) -> Content:
        entry_of(content, "instances", key)
        addresses = {name: _led_by(one, key) for name, one in content.get("floating_ips", {}).items()}
        after = {**content, "floating_ips": addresses} if addresses else content
        after = forget(remove(after, "instances", key), key)
        for name in volumes:
            after = remove(after, "volumes", name)
        return after

    return edit
