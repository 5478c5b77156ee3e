"""What a field that does not exist was meant to be: another word for one of ours, or one that stands deeper.

Only who is told of a mistake pays for the search.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

from stead.core.value import fields_of, is_value

# Words that people bring from OpenStack, Terraform, libvirt, cloud-init and Compose.
SYNONYMS = {
    "allocation_pools": "reserved",
    "availability_zone": "zone",
    "cloudinit": "cloud_init",
    "cores": "vcpus",
    "cpus": "vcpus",
    "disk_size": "disk",
    "dns_nameservers": "dns",
    "enable_dhcp": "dhcp",
    "external_network": "external",
    "fixed_ip": "address",
    "fixed_ip_address": "address",
    "from_port": "ports",
    "gateway_ip": "gateway",
    "interfaces": "networks",
    "ip": "address",
    "ip_address": "address",
    "key_name": "keypairs",
    "key_pair": "keypairs",
    "mac_address": "mac",
    "mem": "memory",
    "network_interface": "networks",
    "nics": "networks",
    "physical_network": "physical",
    "port_range_max": "ports",
    "port_range_min": "ports",
    "ram": "memory",
    "remote_ip_prefix": "from",
    "rules": "ingress",
    "segmentation_id": "vni",
    "ssh_authorized_keys": "keypairs",
    "ssh_key": "keypairs",
    "ssh_keys": "keypairs",
    "sshkeys": "keypairs",
    "to_port": "ports",
    "userdata": "user_data",
    "vcpu": "vcpus",
    "volume_size": "size",
}
DEEPEST = 2


def meant(model: type, word: str) -> str:
    """` Write ...`, or nothing."""
    ours = SYNONYMS.get(word.lower().replace("-", "_"), word)
    here = {name.removesuffix("_") for name in fields_of(model)}
    if ours in here:
        return f" Write {ours!r} instead."
    path = min(_paths(model, ours, DEEPEST), key=len, default=())
    return f" Write {ours!r} in {'.'.join(path)!r}." if path else ""


def _paths(model: type, word: str, deep: int) -> Iterator[tuple[str, ...]]:
    """The fields of the model that lead to a record with this field."""
    from stead.language.reading.models import hint_of

    for name in fields_of(model):
        for below, entry in _records(hint_of(model, name), ()):
            here = (name.removesuffix("_"), *entry)
            if any(one.removesuffix("_") == word for one in fields_of(below)):
                yield here
            elif deep > 1:
                for path in _paths(below, word, deep - 1):
                    yield *here, *path


def _records(annotation: Any, entry: tuple[str, ...]) -> Iterator[tuple[type, tuple[str, ...]]]:
    """Each with how an entry of it is called, where there are several by name."""
    if is_value(annotation):
        yield annotation, entry
    if get_origin(annotation) in (dict, Mapping):
        entry = ("NAME",)
    for one in get_args(annotation):
        yield from _records(one, entry)
