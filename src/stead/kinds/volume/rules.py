"""What a volume must be for what it is made from and who uses it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stead.core.diagnostics import Code, Diagnostic
from stead.core.observed import Host
from stead.drivers.storage import QCOW2, why_nowhere
from stead.kinds.shared import images
from stead.kinds.shared.amounts import readable
from stead.kinds.shared.storage import volume_size
from stead.kinds.volume.model import Volume, VolumeSource
from stead.language.desired import Block, Desired

NO_SIZE = Code("STEAD-V001", "the volume has no size")
SMALLER = Code("STEAD-V002", "the volume is smaller than its source")
ORIGIN = Code("STEAD-V003", "a volume can have only one source")
ISO = Code("STEAD-V004", "an ISO image cannot be a volume")
OF_INSTANCE = Code("STEAD-V013", "no volume can be made from a snapshot of an instance")
FOUND = Code("STEAD-V009", "an existing file is not told enough")
SHARED_QCOW2 = Code("STEAD-V005", "a shareable volume must be raw")
RAW_ONLY = Code("STEAD-V008", "this type of pool holds only raw volumes")
QOS = Code("STEAD-V006", "a total limit excludes read and write limits")


def check(block: Block, desired: Desired) -> Iterator[Diagnostic]:
    model: Volume = block.model
    if model.file and (lacks := _lacks(model)):
        text = f"`file` takes over what is on a host as it is: {lacks}."
        yield FOUND.at(block.place("file"), text)
        return
    if model.from_ is not None:
        yield from _origin(block, model.from_, desired)
    elif model.size is None:
        yield NO_SIZE.at(
            block.place(), "A blank volume needs a size. Write `size: 50GiB`, or say what it is made `from`."
        )
    if model.shareable and model.format == "qcow2":
        text = "Two instances that write to one qcow2 file destroy it. Write `format: raw`, or leave it out."
        yield SHARED_QCOW2.at(block.place("format"), text)
    if model.qos is not None:
        for what in ("iops", "throughput"):
            parts = [f"{way}_{what}" for way in ("read", "write") if getattr(model.qos, f"{way}_{what}") is not None]
            if getattr(model.qos, what) is not None and parts:
                text = (
                    f"`{what}` limits reads and writes together, and {parts[0]} is said besides. Write one or the "
                    "other."
                )
                yield QOS.at(block.place(f"qos.{parts[0]}"), text)


def _lacks(model: Volume) -> str:
    if model.from_ is not None:
        return "leave `from` out"
    missing = [name for name in ("host", "size", "format") if not getattr(model, name)]
    return f"write {' and '.join(missing)} too, as they are" if missing else ""


def fits(block: Block, _desired: Desired, hosts: Mapping[str, Host]) -> Iterator[Diagnostic]:
    model: Volume = block.model
    if model.format == "qcow2" and (why := why_nowhere(QCOW2, model.pool, hosts)):
        yield RAW_ONLY.at(block.place("format"), why)


def _origin(block: Block, origin: VolumeSource, desired: Desired) -> Iterator[Diagnostic]:
    named = [(what, one) for what in ("image", "snapshot", "volume", "backup") if (one := getattr(origin, what))]
    if len(named) != 1:
        found = " and ".join(what for what, _ in named) or "nothing"
        text = f"It names {found}. Write one of image, snapshot, volume and backup, or no `from` for a blank one."
        yield ORIGIN.at(block.place("from"), text)
        return
    (what, address) = named[0]
    if what == "backup":
        model: Volume = block.model
        if model.size is None:
            text = "What size a backup has is known where it is kept. Write `size:`, as `stead backup list` shows it."
            yield NO_SIZE.at(block.place("from.backup"), text)
        return
    source = desired.get(address)
    if source is None:
        return
    if what == "image" and images.forms(source.model.source, source.model.format, None)[0] == "iso":
        text = f"{address} is an iso: instances boot it with `cdrom`. Name an image of a disk."
        yield ISO.at(block.place("from.image"), text)
        return
    if what == "snapshot" and source.model.volume is None:
        text = f"{address} is of an instance, which goes back to it by `stead revert`. Name a snapshot of a volume."
        yield OF_INSTANCE.at(block.place("from.snapshot"), text)
        return
    least = volume_size(address, desired)
    model = block.model
    if model.size is None and not least:
        text = f"The size of {address} is unknown. Write `size:` here, or `size:` of the image."
        yield NO_SIZE.at(block.place("from"), text)
    elif model.size is not None and model.size < least:
        text = (
            f"{address} takes {readable(least)}, and the volume has {readable(model.size)}. Make it at least as large."
        )
        yield SMALLER.at(block.place("size"), text)
