"""Nova's quotas and limits."""

from __future__ import annotations

from stead.serve.compute.creation import METADATA_ITEMS
from stead.serve.compute.server_groups import groups_of
from stead.serve.compute.servers import V
from stead.serve.quotas import COMPUTE, NO_LIMIT, QuotaSet, limits, used
from stead.serve.routes import AccessPolicy, ApiReply, ApiRoute, Call, record, wrapped

_EXTRA = {
    "metadata_items": METADATA_ITEMS,
    "injected_files": 0,
    "injected_file_content_bytes": 0,
    "injected_file_path_bytes": 0,
    "server_groups": NO_LIMIT,
    "server_group_members": NO_LIMIT,
    "fixed_ips": NO_LIMIT,
    "floating_ips": NO_LIMIT,
    "security_groups": NO_LIMIT,
    "security_group_rules": NO_LIMIT,
}
QUOTA = QuotaSet(COMPUTE, _EXTRA)


def absolute(call: Call) -> ApiReply:
    world, project = call.world, call.caller.project
    most, now = limits(world, project, COMPUTE), used(call, world, project, COMPUTE)
    found = {
        "maxTotalInstances": most["instances"],
        "maxTotalCores": most["cores"],
        "maxTotalRAMSize": most["ram"],
        "maxTotalKeypairs": most["key_pairs"],
        "maxServerMeta": METADATA_ITEMS,
        "maxImageMeta": 128,
        "maxPersonality": 0,
        "maxPersonalitySize": 0,
        "maxServerGroups": NO_LIMIT,
        "maxServerGroupMembers": NO_LIMIT,
        "maxTotalFloatingIps": NO_LIMIT,
        "maxSecurityGroups": NO_LIMIT,
        "maxSecurityGroupRules": NO_LIMIT,
        "totalInstancesUsed": now["instances"],
        "totalCoresUsed": now["cores"],
        "totalRAMUsed": now["ram"],
        "totalServerGroupsUsed": len([*groups_of(world, project)]),
        "totalFloatingIpsUsed": 0,
        "totalSecurityGroupsUsed": 0,
    }
    return ApiReply(body={"limits": {"rate": [], "absolute": found}})


def reset(call: Call) -> ApiReply:
    QUOTA.reset(call)
    return ApiReply(202)


Q = f"{V}/os-quota-sets/{{target}}"
NUMBERS = record(**{name: {"type": ["integer", "string"], "pattern": "^-?[0-9]{1,9}$"} for name in COMPUTE})
ROUTES = (
    ApiRoute("GET", f"{V}/limits", AccessPolicy.READER, absolute),
    ApiRoute("GET", Q, AccessPolicy.READER, QUOTA.show),
    ApiRoute("PUT", Q, AccessPolicy.ADMIN, QUOTA.change, wrapped("quota_set", NUMBERS)),
    ApiRoute("DELETE", Q, AccessPolicy.ADMIN, reset),
    ApiRoute("GET", f"{Q}/detail", AccessPolicy.READER, QUOTA.detail),
    ApiRoute("GET", f"{Q}/defaults", AccessPolicy.READER, QUOTA.defaults),
)
