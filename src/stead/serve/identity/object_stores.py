"""The object store in the catalog: the first that accepts tokens of this server, once it was applied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stead.drivers.object import at
from stead.serve.world import CloudState, KnownResource

ACCOUNT = "$(project_uuid)s"  # as the store knows a project


def object_store(world: CloudState) -> Iterator[tuple[str, str, str]]:
    """Type, name and URL, or nothing."""
    for one in world.things("object_stores", [""]):
        if one.model.api is not None and (url := one.model.url or _first_host(one)):
            yield "object-store", one.model.driver, f"{url.rstrip('/')}/v1/AUTH_{ACCOUNT}"
            return


def _first_host(store: KnownResource) -> str:
    wants = store.record.wants.values() if store.record is not None else ()
    hosts: Mapping[str, Mapping[str, str]] = next((want.fields()["hosts"] for want in wants), {})
    return next(iter(at(store.model, [one["address"] for one in hosts.values()])), "")
