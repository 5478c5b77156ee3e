"""What an instance boots from, and the volumes it uses. Looks only at the spec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stead.core.address import Address
from stead.core.diagnostics import Code, Diagnostic, Severity
from stead.core.observed import Host
from stead.drivers.storage import ROOT_DISKS, why_nowhere
from stead.kinds.instance.body import LETTERS
from stead.kinds.instance.demand import disk_space, root_size, volumes
from stead.kinds.instance.model import Disk, Instance
from stead.kinds.shared import images, storage
from stead.kinds.shared.amounts import readable
from stead.kinds.shared.memoize_last import memoize_last
from stead.kinds.shared.several import as_tuple
from stead.kinds.shared.sizing import Flavor, flavor_of, root_pool
from stead.language.desired import Block, Desired

NOTHING_TO_BOOT = Code("STEAD-I001", "the instance has nothing to boot from")
TWO_ROOTS = Code("STEAD-I002", "an instance can have only one root disk")
NO_DISK = Code("STEAD-I003", "the flavor has no root disk")
SMALL_DISK = Code("STEAD-I004", "the root disk cannot hold the image")
SMALL_MEMORY = Code("STEAD-I005", "the image needs more memory")
ATTACHED_TWICE = Code("STEAD-I006", "a volume that is not shareable is used twice")
SAME_VOLUME = Code("STEAD-I007", "a volume is attached twice to one instance")
SAME_DEVICE = Code("STEAD-I008", "two volumes would have the same device")
TOO_MANY = Code("STEAD-I009", "there are more volumes than devices")
BLANK_ROOT = Code("STEAD-I011", "the boot volume is blank", Severity.WARNING)
ISO_ROOT = Code("STEAD-I012", "an ISO image cannot be a root disk")
NOT_AN_ISO = Code("STEAD-I013", "the CD drive takes only ISO images")
APART = Code("STEAD-I029", "an instance and its volumes cannot be on one host")
ROOT_ELSEWHERE = Code("STEAD-I027", "no host supports root disks in this type of pool")
UNUSED = Code("STEAD-I026", "the root disk's settings have no effect", Severity.WARNING)


def check(block: Block, flavor: Flavor, desired: Desired) -> Iterator[Diagnostic]:
    yield from _root(block, flavor)
    yield from _image(block, flavor, desired)
    yield from _boot_volume(block, desired)
    if block.model.volumes or block.model.boot_volume:
        yield from _volumes(block, desired)


def fits(block: Block, desired: Desired, hosts: Mapping[str, Host]) -> Iterator[Diagnostic]:
    model: Instance = block.model
    flavor = flavor_of(model, desired)
    if model.volumes or model.boot_volume:
        yield from _apart(block, desired, hosts)
    if flavor is None or not disk_space(model, flavor):
        return
    name = root_pool(model, flavor)
    if why := why_nowhere(ROOT_DISKS, name, hosts):
        inline = "flavor.pool" if isinstance(model.flavor, Flavor) else "flavor"
        place = block.place("disk.pool" if model.disk and model.disk.pool else inline)
        yield ROOT_ELSEWHERE.at(place, why)


def _apart(block: Block, desired: Desired, hosts: Mapping[str, Host]) -> Iterator[Diagnostic]:
    """A pool that each host has for itself is of use to instances of that host only."""
    model: Instance = block.model
    said: dict[str, tuple[set[str], str]] = {}
    for field, own in (("host", {model.host} - {""}), ("zone", set(as_tuple(model.zone)))):
        if own:
            said[field] = (own, "The instance")
    for address in volumes(model):
        volume = desired.get(address)
        if volume is None or volume.model.pool in storage.shared_pools(hosts):
            continue
        for field in ("host", "zone"):
            asked = {getattr(volume.model, field)} - {""}
            if not asked:
                continue
            before, who = said.setdefault(field, (asked, str(address)))
            if not before & asked:
                text = (
                    f"{who} is to be in {field} {' or '.join(sorted(before))} and {address} in {min(asked)}, and pool "
                    f"{volume.model.pool} is each host's own. Say the same of both, or use a pool that hosts share."
                )
                yield APART.at(block.place(field), text)


def _root(block: Block, flavor: Flavor) -> Iterator[Diagnostic]:
    model: Instance = block.model
    if model.image is not None and model.boot_volume is not None:
        text = "It has an image and a boot volume. Leave the image out, or make the volume one of `volumes`."
        yield TWO_ROOTS.at(block.place("boot_volume"), text)
        return
    if model.boot_volume is not None:
        disk = model.disk or Disk()
        if disk.size is not None or disk.pool is not None or disk.generation != 1:
            text = "The instance boots from a volume, whose size and pool are its own, and which stays. Leave them out."
            yield UNUSED.at(block.place("disk"), text)
        return
    if model.image is None and model.cdrom is None and "network" not in model.boot:
        text = "Write `image:` or `boot_volume:`; or `cdrom:` or `boot: [network]` to install onto a blank disk."
        yield NOTHING_TO_BOOT.at(block.place(), text)
    if root_size(model, flavor) == 0 and (model.image is not None or "disk" in model.boot):
        where = "flavor.disk" if isinstance(model.flavor, Flavor) else "flavor"
        text = (
            "The flavor has no disk, so it is for instances with a `boot_volume`. Choose one, or write `disk: "
            "{size: 10GiB}`."
        )
        yield NO_DISK.at(block.place(where), text)


def _image(block: Block, flavor: Flavor, desired: Desired) -> Iterator[Diagnostic]:
    model: Instance = block.model
    image = desired.get(model.image) if model.image is not None else None
    if image is not None and model.image is not None:
        least = max(image.model.size or 0, image.model.min_disk or 0)
        size = root_size(model, flavor)
        if _form(image) == "iso":
            text = f"{model.image} is an iso. Put it into `cdrom`, and boot from there."
            yield ISO_ROOT.at(block.place("image"), text)
        elif 0 < size < least and model.boot_volume is None:
            text = (
                f"{model.image} needs {readable(least)}, and the root disk has {readable(size)}. Choose a larger "
                f"flavor, or set `disk: {{size: {readable(least)}}}`."
            )
            yield SMALL_DISK.at(block.place("disk.size" if model.disk and model.disk.size else "flavor"), text)
        if image.model.min_memory is not None and flavor.memory < image.model.min_memory:
            text = (
                f"{model.image} needs {readable(image.model.min_memory)}, and the flavor has "
                f"{readable(flavor.memory)}. Choose a larger one."
            )
            yield SMALL_MEMORY.at(block.place("flavor"), text)
    disc = desired.get(model.cdrom) if model.cdrom is not None else None
    if disc is not None and _form(disc) != "iso":
        text = f"{model.cdrom} is {_form(disc)}. Use it as `image`, or set its `format: iso` if it is one."
        yield NOT_AN_ISO.at(block.place("cdrom"), text)


def _form(image: Block) -> str:
    return images.forms(image.model.source, image.model.format, image.model.compression)[0]


def _boot_volume(block: Block, desired: Desired) -> Iterator[Diagnostic]:
    model: Instance = block.model
    volume = desired.get(model.boot_volume) if model.boot_volume is not None else None
    installs = model.cdrom is not None or "network" in model.boot
    if volume is not None and volume.model.from_ is None and not volume.model.file and not installs:
        text = f"{model.boot_volume} is blank. Make it `from: {{image: …}}`, or add a `cdrom` to install from."
        yield BLANK_ROOT.at(block.place("boot_volume"), text)


def _attachments(desired: Desired) -> Mapping[Address, list[tuple[Block, str]]]:
    """By volume: who uses it, and where that is written."""
    found: dict[Address, list[tuple[Block, str]]] = {}
    for block in desired.of_kind("instances"):
        model: Instance = block.model
        if model.boot_volume is not None:
            found.setdefault(model.boot_volume, []).append((block, "boot_volume"))
        for at, one in enumerate(model.volumes):
            found.setdefault(one.volume, []).append((block, f"volumes.{at}.volume"))
    return found


attachments = memoize_last(_attachments)


def _volumes(block: Block, desired: Desired) -> Iterator[Diagnostic]:
    model: Instance = block.model
    own = [(one.volume, f"volumes.{at}.volume") for at, one in enumerate(model.volumes)]
    if model.boot_volume is not None:
        own.insert(0, (model.boot_volume, "boot_volume"))
    seen = set()
    for address, path in own:
        if address in seen:
            yield SAME_VOLUME.at(block.place(path), f"{address} is already attached. Remove one of the two.")
        seen.add(address)
        volume = desired.get(address)
        if volume is not None and not volume.model.shareable:
            yield from _used_twice(block, address, path, desired)
    devices: dict[str, Address] = {}
    for at, one in enumerate(model.volumes):
        if one.device is not None and devices.setdefault(one.device, one.volume) != one.volume:
            other = devices[one.device]
            text = (
                f"{other} and {one.volume} would both have the device {one.device}. Remove `device` from one of them."
            )
            yield SAME_DEVICE.at(block.place(f"volumes.{at}.device"), text)
    if len(model.volumes) > len(LETTERS):
        text = (
            f"It uses {len(model.volumes)} volumes and can have {len(LETTERS)}. Combine some of them, or use "
            "two instances."
        )
        yield TOO_MANY.at(block.place("volumes"), text)


def _used_twice(block: Block, address: Address, path: str, desired: Desired) -> Iterator[Diagnostic]:
    users = attachments(desired)[address]
    first = users[0][0]
    if len(block.members) > 1:
        who = f"{len(block.members)} instances"
    elif first is not block:
        who = f"{first.members[0].block} and this instance"
    else:
        return
    text = (
        f"{who} would write to {address} at the same time and damage its data. Give each its own volume, or "
        "set `shareable: true` if its file system supports several writers."
    )
    yield ATTACHED_TWICE.at(block.place(path), text)
