"""Filters for addresses and networks: the part of `ansible.utils.ipaddr` that specs need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ipaddress import IPv4Interface, IPv6Interface, ip_interface, ip_network
from typing import Any

from stead.language.expressions.bounds import BoundExceeded

Interface = IPv4Interface | IPv6Interface

_QUERIES: Mapping[str, Callable[[Interface], Any]] = {
    "address": lambda one: str(one.ip),
    "host": str,
    "net": lambda one: str(one.network),
    "subnet": lambda one: str(one.network),
    "network": lambda one: str(one.network.network_address),
    "broadcast": lambda one: str(one.network.broadcast_address),
    "netmask": lambda one: str(one.netmask),
    "hostmask": lambda one: str(one.hostmask),
    "prefix": lambda one: one.network.prefixlen,
    "size": lambda one: one.network.num_addresses,
    "version": lambda one: one.version,
    "first_usable": lambda one: str(one.network[1 if one.network.num_addresses > 2 else 0]),
    "last_usable": lambda one: str(one.network[_last(one)]),
    "private": lambda one: one.is_private,
    "revdns": lambda one: one.ip.reverse_pointer + ".",
}


def _last(one: Interface) -> int:
    return -2 if one.version == 4 and one.network.num_addresses > 2 else -1


def _interface(value: Any) -> Interface | None:
    try:
        return ip_interface(value) if isinstance(value, str) and "%" not in value else None
    except ValueError:
        return None


def _certain(value: Any, name: str) -> Interface:
    if (one := _interface(value)) is None:
        said = value[:60] if isinstance(value, str) else f"a {type(value).__name__}"
        raise BoundExceeded(f"`{name}` takes an address or a network, such as 10.0.0.0/24, and not {said}.")
    return one


def ipaddr(value: Any, query: str | int = "", version: int = 0) -> Any:
    """The value if it is an address or a network, and false if not; or what a query asks of it."""
    if isinstance(value, list | tuple):
        return [made for one in value if (made := ipaddr(one, query, version)) is not False]
    one = _interface(value)
    if one is None or (version and one.version != version):
        return False
    if query == "":
        return value
    if isinstance(query, int):
        return f"{_nth(one, query)}/{one.network.prefixlen}"
    if query not in _QUERIES:
        raise BoundExceeded(f"`ipaddr` has no query {query!r}. There are {', '.join(_QUERIES)}.")
    return _QUERIES[query](one)


def ipmath(value: Any, number: int) -> str:
    """The address that many further."""
    one = _certain(value, "ipmath").ip
    try:
        return str(one + number)
    except ValueError:
        raise BoundExceeded(f"There is no address {number} after {one}.") from None


def nthhost(value: Any, number: int) -> str:
    return _nth(_certain(value, "nthhost"), number)


def _nth(one: Interface, number: int) -> str:
    try:
        return str(one.network[number])
    except IndexError:
        raise BoundExceeded(f"{one.network} has no address {number}.") from None


def ipsubnet(value: Any, prefix: int, number: int = 0) -> str:
    """The network of this length at this place of the larger one."""
    whole = _certain(value, "ipsubnet").network
    if not whole.prefixlen <= prefix <= whole.max_prefixlen or not 0 <= number < 1 << (prefix - whole.prefixlen):
        raise BoundExceeded(f"{whole} has no subnet {number} with the length {prefix}.")
    first = int(whole.network_address) + (number << (whole.max_prefixlen - prefix))
    return f"{type(whole.network_address)(first)}/{prefix}"


def in_network(value: Any, network: Any) -> bool:
    one, whole = _certain(value, "in_network"), _certain(network, "in_network").network
    return one.version == whole.version and ip_network(one.network).subnet_of(whole)  # type: ignore[arg-type]


ADDRESS_FILTERS: Mapping[str, Callable[..., Any]] = {
    "ipaddr": ipaddr,
    "ipv4": lambda value, query="": ipaddr(value, query, 4),
    "ipv6": lambda value, query="": ipaddr(value, query, 6),
    "ipmath": ipmath,
    "nthhost": nthhost,
    "ipsubnet": ipsubnet,
    "in_network": in_network,
}
