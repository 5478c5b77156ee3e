"""`stead_serve` of a host: that it runs the API, and how. Bootstrap does what it says; `stead doctor` looks at it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any

from stead.core.observed import Host
from stead.core.value import value
from stead.site.inventory.variables import Bad, mapping, text, whole

SERVE = "stead_serve"
PORT = 8774
LEAST = 3  # of two, neither is a majority
_FIELDS = frozenset({"address", "site", "port", "names", "certificate", "key"})


@value
class ApiSettings:
    """Of one host: the API's port there, and whether its certificate is Stead's."""

    port: int = PORT
    own: bool = True
    address: str = ""  # that several controllers have together, and one of them answers at


def serving_of(given: Any) -> ApiSettings:
    body: Mapping[str, Any] = {} if given is None else mapping(given)
    if unknown := sorted(body.keys() - _FIELDS):
        raise Bad(f"has {unknown[0]!r}: it has {', '.join(sorted(_FIELDS))}")
    if ("certificate" in body) != ("key" in body):
        raise Bad("has one of certificate and key: a certificate of the site's needs both, files on that host")
    for name in ("certificate", "key"):
        if name in body and not text(body[name]).startswith("/"):
            raise Bad(f"has {name} {body[name]!r}: write the whole path of a file on that host")
    names = body.get("names", [])
    if not isinstance(names, list) or not all(isinstance(one, str) and one for one in names):
        raise Bad(f"has names {names!r}: write a list of names and addresses")
    address = body.get("address", "")
    if "address" in body and not is_address(address):
        raise Bad(f"has address {address!r}: write an IP address that no host has, of the network of the controllers")
    port = whole(body.get("port", PORT))
    if not 1024 <= port < 65536:
        raise Bad(f"has port {port}: the API runs without root, so it is from 1024 to 65535")
    return ApiSettings(port=port, own="certificate" not in body, address=address)


def together(serving: Mapping[str, ApiSettings], hosts: Mapping[str, Host]) -> Iterator[tuple[str, str]]:
    """(host, what is wrong) of controllers that are to have one address and one store."""
    keepers = {name: one for name, one in serving.items() if one.address}
    if not keepers:
        return
    first, api = next(iter(keepers.items()))
    for name, one in serving.items():
        if one.address != api.address:
            yield name, f"has address {one.address or '(none)'}, and {first} has {api.address}: one API has one address"
    if len(keepers) < LEAST or len(keepers) % 2 == 0:
        text = "outlives as many failures as one less" if len(keepers) >= LEAST else "outlives no failure"
        yield first, f"has an address, and {len(keepers)} have it: a store on so many {text}. Give it to 3 or 5"
    for name in keepers:
        if not is_address(hosts[name].underlay):
            yield name, "has an address, so its controller needs stead_underlay_address"
    if taken := [name for name, host in hosts.items() if api.address in (host.underlay, host.management)]:
        yield first, f"has address {api.address}, which {taken[0]} has: write one that no host has"


def is_address(given: object) -> bool:
    try:
        return isinstance(given, str) and bool(ip_address(given))
    except ValueError:
        return False
