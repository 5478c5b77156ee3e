"""Versions of the services, told honestly: what is not here is not advertised, and who asks for it is told so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from stead.serve.faults import BAD_VERSION, Fault
from stead.serve.routes import ApiReply, Call

COMPUTE, VOLUME = "2.1", "3.0"
_HEADERS = {"compute": ("compute", COMPUTE), "volume": ("volume", VOLUME)}
_VERSION = re.compile(r"([0-9]{1,3})\.([0-9]{1,4})")


def negotiated(service: str, headers: Mapping[str, str]) -> dict[str, str]:
    """The version that is used, as headers of the answer."""
    if service not in _HEADERS:
        return {}
    name, only = _HEADERS[service]
    asked = _asked(name, headers)
    if asked not in ("", "latest", only):
        if _VERSION.fullmatch(asked) is None:
            raise Fault(400, BAD_VERSION.id, f"API version string {asked[:20]!r} is of invalid format.")
        raise Fault(
            406, BAD_VERSION.id, f"Version {asked} is not supported by the API. Minimum and maximum are {only}."
        )
    found = {"openstack-api-version": f"{name} {only}", "vary": "OpenStack-API-Version"}
    return {**found, "x-openstack-nova-api-version": only} if name == "compute" else found


def _asked(name: str, headers: Mapping[str, str]) -> str:
    for part in headers.get("openstack-api-version", "").split(","):
        service, _, version = part.strip().partition(" ")
        if service == name:
            return version.strip()
    return headers.get("x-openstack-nova-api-version", "").strip() if name == "compute" else ""


def document(call: Call, service: str, path: str, name: str, **more: Any) -> dict[str, Any]:
    url = f"{call.root}/{service}{path}/"
    return {
        "id": name,
        "status": "CURRENT",
        "updated": "2026-01-01T00:00:00Z",
        "links": [{"rel": "self", "href": url}],
        **more,
    }


def identity(call: Call) -> dict[str, Any]:
    types = [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}]
    return {**document(call, "identity", "/v3", "v3.14"), "status": "stable", "media-types": types}


def compute(call: Call) -> dict[str, Any]:
    types = [{"base": "application/json", "type": "application/vnd.openstack.compute+json;version=2.1"}]
    return {**document(call, "compute", "/v2.1", "v2.1", version=COMPUTE, min_version=COMPUTE), "media-types": types}


def compute_2(call: Call) -> dict[str, Any]:
    """What clients asked for before there were microversions: the same calls, and no version to choose."""
    types = [{"base": "application/json", "type": "application/vnd.openstack.compute+json;version=2"}]
    more = {"version": "", "min_version": "", "status": "SUPPORTED", "media-types": types}
    return document(call, "compute", "/v2", "v2.0", **more)


def network(call: Call) -> dict[str, Any]:
    return document(call, "network", "/v2.0", "v2.0")


def image(call: Call) -> dict[str, Any]:
    return document(call, "image", "/v2", "v2.9")


def volume(call: Call) -> dict[str, Any]:
    types = [{"base": "application/json", "type": "application/vnd.openstack.volume+json;version=3"}]
    return {**document(call, "volume", "/v3", "v3.0", version=VOLUME, min_version=VOLUME), "media-types": types}


def orchestration(call: Call) -> dict[str, Any]:
    return document(call, "orchestration", "/v1", "v1.0")


def all_of(*versions: Any, wrap: bool = False, status: int = 200) -> Any:
    """The list of versions of a service."""

    def handler(call: Call) -> ApiReply:
        found = [make(call) for make in versions]
        return ApiReply(status=status, body={"versions": {"values": found} if wrap else found})

    return handler


def one_of(make: Any) -> Any:
    def handler(call: Call) -> ApiReply:
        return ApiReply(body={"version": make(call)})

    return handler
