"""Which type a volume has: a pool of the site, or one that an admin made. A volume has a copy of what that says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.core.named import NamedTuple
from stead.serve.access_lists import Made
from stead.serve.faults import bad, not_built
from stead.serve.routes import ApiReply, Call
from stead.serve.volume import made_types, qos_specs, types

BACKEND, SHARED, MAKER = "volume_backend_name", "multiattach", "vendor_name"
YES, NO = "<is> True", "<is> False"


class ChosenType(NamedTuple):
    """What a volume of a type has in its document."""

    pool: str
    qos: Mapping[str, int | str]
    shareable: bool
    note: Mapping[str, str] | None  # of one that was made: id and name, as they were

    @property
    def fields(self) -> dict[str, Any]:
        return {
            "pool": self.pool if self.pool != types.DEFAULT else None,
            "qos": dict(self.qos) or None,
            "shareable": True if self.shareable else None,
        }


def of_pool(pool: str) -> ChosenType:
    return ChosenType(pool, {}, shareable=False, note=None)


def chosen(call: Call, asked: str) -> ChosenType:
    """By its name or id."""
    for name, one in made_types.ACCESS.usable(call):
        if asked in (name, one["name"]):
            return _of_made(call, name, one)
    return of_pool(types.named(call, asked))


def _of_made(call: Call, name: str, one: Made) -> ChosenType:
    """What of it Stead cannot keep to is refused: a volume without it would be another one."""
    specs = one["specs"]
    for key, known in ((SHARED, (YES, NO)), (MAKER, (types.VENDOR,))):
        if key in specs and specs[key] not in known:
            raise bad(
                f"Volume type {one['name'][:80]} asks for {key}={specs[key][:80]!r}. Known is {' and '.join(known)}."
            )
    if unknown := [key for key in specs if key not in (BACKEND, SHARED, MAKER)]:
        raise not_built(f"Volume type {one['name'][:80]} has the extra spec {unknown[0]!r}, which means nothing here.")
    pool = types.named(call, specs[BACKEND]) if BACKEND in specs else types.DEFAULT
    note = {"id": name, "name": one["name"]}
    return ChosenType(pool, qos_specs.limits_of(call, one["qos"]), shareable=specs.get(SHARED) == YES, note=note)


def list_types(call: Call) -> ApiReply:
    pools = [types.type_data(pool) for pool in types.pools(call)]
    return ApiReply(body={"volume_types": [*pools, *(made_types.data(*one) for one in made_types.ACCESS.usable(call))]})


def show_type(call: Call) -> ApiReply:
    asked = call.path["id"]
    for name, one in made_types.ACCESS.usable(call):
        if asked in (name, one["name"]):
            return ApiReply(body={"volume_type": made_types.data(name, one)})
    return ApiReply(body={"volume_type": types.type_data(types.named(call, asked))})
