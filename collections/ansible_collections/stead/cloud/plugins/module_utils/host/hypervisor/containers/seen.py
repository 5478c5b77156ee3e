"""A container's want as this host has it: limits as the kernel keeps them, interfaces that are in their bridges."""

from __future__ import annotations

from typing import Any, Dict, List

from ...base import commands
from ...base.step import Want
from ..domains import readback
from ..driver import Json
from . import config, guest, limits, nics


class SeenContainer:
    moving = False  # while it runs it stays where it is

    def __init__(self, made: Json, state: str, links: Dict[str, nics.Link]) -> None:
        self._made = made
        self._links = links
        self.name = str(made["want"]["name"])
        self.state = state

    def label(self) -> Dict[str, str]:
        found: Dict[str, str] = guest.label(self._made)
        return found

    def told(self) -> Json:
        return dict(self._made, **self.label())

    def fields(self, want: Want) -> Json:
        made = self._made["want"]
        found = dict(made, **self.amounts())
        found["state"] = self.state
        if self.state != guest.OFF:
            plugged = [key for key, device in self._made["devices"].items() if self._is_plugged(device)]
            found["ports"] = {key: made["ports"][key] for key in plugged}
            found["nics"] = {key: made["nics"][key] for key in plugged}
        if want:
            found["root"] = readback.root(want)
        return found

    def amounts(self) -> Json:
        made = self._made["want"]
        found: Json = {name: made[name] for name in ("vcpus", "max_vcpus", "memory", "max_memory")}
        return dict(found, **(limits.of(made["uuid"], made) if self.state != guest.OFF else {}))

    def _is_plugged(self, device: List[str]) -> bool:
        name, bridge = device
        return bool(self._links.get(name, {}).get("master") == bridge)


def everything() -> Dict[str, Any]:
    """By UUID. Three questions, however many there are."""
    found = guest.everything()
    states = {uuid: state for word, state in guest.STATES.items() for uuid in _listed(word)} if found else {}
    links = {one["ifname"]: one for one in nics.links()} if found else {}
    return {one.uuid: SeenContainer(one.made, states.get(one.uuid, guest.OFF), links) for one in found}


def _listed(state: str) -> List[str]:
    return commands.run(["lxc-ls", "--lxcpath", config.FOLDER, "-1", "--" + state.lower()]).split()
