"""What an instance must be to boot and to be of use. Looks only at the spec; those of its disks are beside."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from stead.core.address import Address, key_of
from stead.core.diagnostics import Code, Diagnostic
from stead.kinds.instance import disk_rules, group_rules, hypervisors, pacing, waits
from stead.kinds.instance.model import Instance, Nic
from stead.kinds.shared import interfaces
from stead.kinds.shared.memoize_last import memoize_last
from stead.kinds.shared.several import as_tuple
from stead.kinds.shared.sizing import Flavor, flavor_of
from stead.kinds.shared.sizing_rules import TRAITS, sizing
from stead.language.desired import Block, Desired

ONE_FOR_MANY = Code("STEAD-I010", "several instances cannot share this value")
ARCHITECTURE = Code("STEAD-I014", "the image is for another CPU architecture")
FIRMWARE = Code("STEAD-I015", "the firmware needs another machine type")
NAME_LONG = Code("STEAD-I036", "a host name would be too long")
NAME_TAKEN = Code("STEAD-I018", "two instances would have the same host name")
ONE_DOMAIN = Code("STEAD-I028", "two instances would have the same libvirt domain")
FOUND = Code("STEAD-I037", "an existing domain is not told enough")
NO_IGNITION = Code("STEAD-I057", "the guest could not read what is for Ignition or Combustion")
BOOT_DEVICE = Code("STEAD-I025", "the boot device does not exist")
NO_FIRMWARE_CONFIGURATION = ("ppc64le", "s390x")  # machines in which QEMU has no fw_cfg
LONGEST_NAME = 63  # of a part of a DNS name


def check(block: Block, desired: Desired) -> Iterator[Diagnostic]:
    model: Instance = block.model
    if model.domain is not None:
        yield from _domain(block)
    flavor = flavor_of(model, desired)
    if isinstance(model.flavor, Flavor):
        yield from sizing(block, model.flavor, "flavor.")
    if flavor is not None:
        yield from disk_rules.check(block, flavor, desired)
        yield from _traits(block, flavor)
        image = desired.get(model.image) if model.image is not None else None
        yield from hypervisors.check(block, flavor, image.model if image is not None else None)
    yield from _hardware(block, desired)
    for at, nic in enumerate(model.networks):
        yield from _nic(block, at, nic, desired)
    if len(block.members) > 1:
        yield from _many(block)
    yield from waits.check(block, desired)
    yield from pacing.check(block)
    alike = list(_one_domain(block, desired))
    yield from alike or _name(block, desired)
    if model.spread or model.together:
        yield from group_rules.check(block, desired)


def _domain(block: Block) -> Iterator[Diagnostic]:
    """All of it has to be there already."""
    model: Instance = block.model
    if not model.host or model.boot_volume is None or model.config_drive or model.ignition is not None:
        text = (
            "`domain` takes over what is on a host as it is. Write `host` too, `config_drive: false`, and its disks as "
            "volumes with `file`: `boot_volume`, and `volumes`; no `ignition`. `stead import libvirt` writes all of it."
        )
        yield FOUND.at(block.place("domain"), text)


def _traits(block: Block, flavor: Flavor) -> Iterator[Diagnostic]:
    model: Instance = block.model
    if not model.traits and not model.forbidden_traits:
        return
    wanted, unwanted = {*flavor.traits, *model.traits}, {*flavor.forbidden_traits, *model.forbidden_traits}
    if wanted & unwanted:
        text = f"No host both has and lacks {', '.join(sorted(wanted & unwanted))}. Look at the flavor's traits too."
        yield TRAITS.at(block.place("forbidden_traits" if model.forbidden_traits else "traits"), text)


def _hardware(block: Block, desired: Desired) -> Iterator[Diagnostic]:
    model: Instance = block.model
    image = desired.get(model.image) if model.image is not None else None
    if image is not None and model.architecture and image.model.architecture not in (None, model.architecture):
        text = (
            f"{model.image} is for {image.model.architecture}, and the instance has {model.architecture}. Change one."
        )
        yield ARCHITECTURE.at(block.place("architecture"), text)
    machine = model.machine or (image.model.machine if image is not None else None)
    firmware = model.firmware or (image.model.firmware if image is not None else None)
    if firmware == "uefi-secure" and machine is not None and "q35" not in machine:
        text = f"Secure boot needs the machine q35, and this is {machine}. Change one of them."
        yield FIRMWARE.at(block.place("firmware" if model.firmware else "machine"), text)
    if model.ignition is not None:
        yield from _ignition(block, model.architecture or (image.model.architecture if image is not None else None))
    if "cdrom" in model.boot and model.cdrom is None:
        yield BOOT_DEVICE.at(
            block.place("boot"), "There is no `cdrom` to boot from. Name an iso image, or leave it out."
        )
    if "network" in model.boot and not model.networks:
        yield BOOT_DEVICE.at(block.place("boot"), "There is no network to boot from. Give it one, or leave it out.")


def _ignition(block: Block, architecture: str | None) -> Iterator[Diagnostic]:
    ignition = block.model.ignition
    if ignition.config is None and ignition.combustion is None:
        text = "There is nothing to read. Write `config` for Ignition or `combustion` for Combustion, or leave it out."
        yield NO_IGNITION.at(block.place("ignition"), text)
    if architecture in NO_FIRMWARE_CONFIGURATION:
        text = f"It is passed by fw_cfg, which QEMU does not have for {architecture}. Use an image with cloud-init."
        yield NO_IGNITION.at(block.place("ignition"), text)
    if isinstance(ignition.config, str) and not _is_ignition(ignition.config):
        text = (
            "Ignition reads JSON: an object with `ignition` and its `version` in it. Write what `butane` makes of your "
            "Butane configuration."
        )
        yield NO_IGNITION.at(block.place("ignition"), text)


def _is_ignition(text: str) -> bool:
    try:
        found = json.loads(text)
    except ValueError:
        return False
    return isinstance(found, dict) and isinstance(found.get("ignition"), dict) and "version" in found["ignition"]


def _nic(block: Block, at: int, nic: Nic, desired: Desired) -> Iterator[Diagnostic]:
    path = f"networks.{at}"
    groups = nic.security_groups if nic.security_groups is not None else block.model.security_groups
    yield from interfaces.check(block, path, nic, groups, desired)
    yield from interfaces.check_port(block, at, nic, desired)


def _many(block: Block) -> Iterator[Diagnostic]:
    """What only one can have, said of several."""
    model: Instance = block.model
    said = [("hostname", model.hostname)]
    for at, nic in enumerate(model.networks):
        said += [(f"networks.{at}.address", ", ".join(as_tuple(nic.address)) or None), (f"networks.{at}.mac", nic.mac)]
    if model.boot_volume is not None:
        said.append(("boot_volume", str(model.boot_volume)))
    for path, value in said:
        if value is not None:
            text = (
                f"{len(block.members)} instances would all have {value}. Remove it, and each gets its own "
                "value; or make it differ with `index` or `each`."
            )
            yield ONE_FOR_MANY.at(block.place(path), text)


def _named(desired: Desired) -> Mapping[tuple[str, str], Block]:
    """Who was first to take a host name that could be taken twice: a plain `web-0` beside `web` with a count."""
    found: dict[tuple[str, str], Block] = {}
    for block in desired.of_kind("instances"):
        if len(block.members) == 1:
            name = block.model.hostname or block.members[0].label
            found.setdefault((block.project, name), block)
    return found


named = memoize_last(_named)


def _name(block: Block, desired: Desired) -> Iterator[Diagnostic]:
    model: Instance = block.model
    longest = max((member.label for member in block.members), key=len, default="")
    if model.hostname is None and len(longest) > LONGEST_NAME:
        text = f"{longest} has {len(longest)} characters, and may have {LONGEST_NAME}. Shorten it, or set `hostname`."
        yield NAME_LONG.at(block.place(), text)
    if len(block.members) > 1:
        return
    name = model.hostname or block.members[0].label
    first = named(desired)[block.project, name]
    other: Address | None = first.members[0] if first is not block else _counted(block, name, desired)
    if other is not None:
        text = (
            f"{other} answers to {name} too, and names resolve inside the project. Rename one, or set its `hostname`."
        )
        yield NAME_TAKEN.at(block.place("hostname" if model.hostname else ""), text)


def _counted(block: Block, name: str, desired: Desired) -> Address | None:
    """The member of a counted block that answers to this name."""
    for address in _members_called(block.project, name, desired):
        other = desired.by_address[address]
        if other is not block and len(other.members) > 1:
            return address
    return None


def _members_called(project: str, name: str, desired: Desired) -> Iterator[Address]:
    """`web-a-0` may be of `web` or of `web-a`."""
    for at, letter in enumerate(name):
        if letter == "-":
            address = Address(project, "instances", name[:at], key_of(name[at + 1 :]))
            if address.label == name and address in desired.by_address:
                yield address


def _one_domain(block: Block, desired: Desired) -> Iterator[Diagnostic]:
    """A domain is named after its instance and the key: `web-0` is one name for `web[0]` and for a plain `web-0`."""
    name = block.members[0].name
    if not any(_is_there(block, name[:at], desired) for at, letter in enumerate(name) if letter == "-"):
        return
    for member in block.members:
        other = next((one for one in _members_called(block.project, member.label, desired) if one.name != name), None)
        if other is not None:
            text = f"{member} and {other} are both named {member.label} on their hosts. Rename one of them."
            yield ONE_DOMAIN.at(block.place(), text)
            return


def _is_there(block: Block, name: str, desired: Desired) -> bool:
    return Address(block.project, "instances", name) in desired.by_address
