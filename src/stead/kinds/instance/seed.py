"""What cloud-init, Ignition or Combustion find: the user's data, rendered, and the keys.

Names and interfaces the host adds from the want.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.core.fields import Expression, Secret
from stead.core.kind import Member, World
from stead.kinds.instance.first_boot import CloudInit, Ignition
from stead.kinds.instance.model import Instance
from stead.language.desired import Block


class Seed:
    """Made for the first member; the others are rendered only where an expression could tell them apart."""

    def __init__(self, block: Block, world: World, first: Member) -> None:
        model: Instance = block.model
        self._world = world
        self._data = model.cloud_init or CloudInit()
        self._ignition = model.ignition or Ignition()
        self._is_given = model.config_drive
        self._keys = [
            found.model.public_key.strip() for one in model.keypairs if (found := world.desired.get(one)) is not None
        ]
        self.differs = bool(block.late) and (model.cloud_init is not None or model.ignition is not None)
        self.first = self.of(first)

    def of(self, member: Member) -> dict[str, Any]:
        data, ignition = self._data, self._ignition
        said: dict[str, Any] = {"ignition": ignition.config, "combustion": ignition.combustion}
        if self._is_given:
            said |= {name: getattr(data, name) for name in ("user_data", "vendor_data", "network_data", "meta_data")}
        found = {name: self._rendered(value, member) for name, value in said.items() if value not in (None, {})}
        if self._is_given:
            found["keys"] = self._keys
        if found:
            found["on_change"] = "rebuild" if "rebuild" in (data.on_change, ignition.on_change) else "keep"
        return found

    def _rendered(self, value: Any, member: Member) -> Any:
        match value:
            case Expression() | Secret():
                return self._world.render(value, member)
            case Mapping():
                return {name: self._rendered(one, member) for name, one in value.items()}
            case list() | tuple():
                return [self._rendered(one, member) for one in value]
            case _:
                return value
