"""A store of objects on several storage hosts, for clients of S3 and Swift."""

from collections.abc import Mapping
from typing import Any

from stead.core.effect import IN_PLACE, NAMED, REPLACED, Disruption, Effect
from stead.core.kind import Kind, Scope
from stead.kinds.object_store.model import ObjectStore
from stead.kinds.object_store.realise import facts, realise
from stead.kinds.object_store.rules import check, fits


def effect_of(
    named: Effect, field: str, old: Any, new: Any, _want: Mapping[str, Any], _have: Mapping[str, Any]
) -> Effect:
    """A device goes from all hosts at once, and with it every copy of what is on it alone."""
    loses = field == "devices" and not set(old or ()) <= set(new or ())
    return named._replace(disturbs=Disruption.DATA_LOSS) if loses else named


KIND = Kind(
    name="object_store",
    plural="object_stores",
    home_role="storage",
    scope=Scope.SITE,
    model=ObjectStore,
    help="A store of objects on several storage hosts, for clients of S3 and Swift.",
    highlights=("driver", "replicas", "hosts."),
    stateful=True,
    check=check,
    fits=fits,
    realise=realise,
    facts=facts,
    seen={
        "name": "its name",
        "uuid": "its UUID",
        "endpoints": "URLs for clients, one of each host",
        "hosts": "hosts that it is on",
    },
    effects={
        **NAMED,
        "driver": REPLACED,
        "part_power": REPLACED,
        **dict.fromkeys(
            ("accounts", "api", "devices", "hosts", "mounted", "port", "replicas", "secret", "tls"),
            IN_PLACE,
        ),
    },
    parts=("services", "files", "directories"),
    identity=("driver", "part_power"),
    effect_of=effect_of,
    field_map={"accounts": "", "hosts": "zones"},
    words={
        "accounts": "projects that have buckets in it",
        "accounts.*": "account of {}",
        "accounts.*.account": "account of {}",
        "accounts.*.quota": "the most that {} may have",
        "accounts.*.public": "buckets of {} that everybody reads",
        "hosts": "hosts of it",
        "hosts.*": "host {}",
        "hosts.*.address": "address of {}",
        "hosts.*.zone": "zone of {}",
    },
)
