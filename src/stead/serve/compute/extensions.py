"""What of Nova's parts is here, by the names that clients look for."""

from __future__ import annotations

from typing import Any

from stead.serve.compute.servers import V
from stead.serve.faults import not_found
from stead.serve.routes import AccessPolicy, ApiReply, ApiRoute, Call

EXTENSIONS = {
    "os-attach-interfaces": "AttachInterfaces",
    "os-availability-zone": "AvailabilityZone",
    "os-console-output": "Console_output",
    "os-consoles": "Consoles",
    "os-floating-ip-pools": "FloatingIpPools",
    "os-floating-ips": "FloatingIps",
    "os-hosts": "Hosts",
    "os-hypervisors": "Hypervisors",
    "os-instance-actions": "InstanceActions",
    "os-keypairs": "Keypairs",
    "os-lock-server": "LockServer",
    "os-multiple-create": "MultipleCreate",
    "os-networks": "Networks",
    "os-pause-server": "PauseServer",
    "os-quota-sets": "Quotas",
    "os-security-groups": "SecurityGroups",
    "os-server-groups": "ServerGroups",
    "os-server-password": "ServerPassword",
    "os-services": "Services",
    "os-simple-tenant-usage": "SimpleTenantUsage",
    "os-suspend-server": "SuspendServer",
    "os-tenant-networks": "TenantNetworks",
    "os-user-data": "UserData",
    "os-volumes": "Volumes",
}


def _data(alias: str) -> dict[str, Any]:
    return {
        "alias": alias,
        "name": EXTENSIONS[alias],
        "description": "",
        "namespace": "http://docs.openstack.org/compute/ext/fake_xml",  # as Nova has it, for all of them
        "updated": "2014-12-03T00:00:00Z",
        "links": [],
    }


def list_extensions(_call: Call) -> ApiReply:
    return ApiReply(body={"extensions": [_data(alias) for alias in EXTENSIONS]})


def show_extension(call: Call) -> ApiReply:
    if call.path["alias"] not in EXTENSIONS:
        raise not_found("Extension", call.path["alias"])
    return ApiReply(body={"extension": _data(call.path["alias"])})


ROUTES = (
    ApiRoute("GET", f"{V}/extensions", AccessPolicy.READER, list_extensions),
    ApiRoute("GET", f"{V}/extensions/{{alias}}", AccessPolicy.READER, show_extension),
)
