"""What a person asked for beside the spec is done alone: all else of the resource stays as it is on its host."""

from __future__ import annotations

from collections.abc import Mapping

from stead.blueprint.model import Settled
from stead.core.by_hand import GIVEN
from stead.core.observed import Have
from stead.core.value import replace


def of_power(settled: Settled, haves: Mapping[str, Have]) -> Settled:
    """As if the spec left every field but the state to others. On another host it is as the spec says."""
    if settled.host not in haves:
        return settled
    wants = (*settled.wants.values(), *(have.want for have in haves.values()))
    fields = {name for want in wants for name in want.fields()} - GIVEN
    settings = settled.block.settings
    others = replace(settings, ignore=frozenset(fields))
    return settled._replace(block=replace(settled.block, settings=others))
