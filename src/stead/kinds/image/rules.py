"""What an image must say to be fetched and believed. Looks only at the spec: nothing is fetched here."""

from __future__ import annotations

from collections.abc import Iterator

from stead.core.diagnostics import Code, Diagnostic, Severity
from stead.kinds.image.model import Image
from stead.kinds.shared import images
from stead.language.desired import Block, Desired

SOURCE = Code("STEAD-M001", "the source is neither an absolute path nor a URL")
NO_CHECKSUM = Code("STEAD-M002", "the image has no checksum")
UNCHECKED = Code("STEAD-M006", "the image has no checksum, which the site allows", Severity.WARNING)
MIN_DISK = Code("STEAD-M003", "`min_disk` is smaller than the image")
COMPRESSED = Code("STEAD-M004", "an image of this format should not be compressed as a file", Severity.WARNING)
FIRMWARE = Code("STEAD-M005", "the firmware needs another machine type")

_SCHEMES = ("http://", "https://")


def check(block: Block, desired: Desired) -> Iterator[Diagnostic]:
    model: Image = block.model
    web = model.source.startswith(_SCHEMES)
    if not web and (not model.source.startswith("/") or "/../" in model.source):
        text = (
            f"{model.source!r} is not usable on the controller. Write an absolute path on the controller, "
            "or a URL that begins with http:// or https://."
        )
        yield SOURCE.at(block.place("source"), text)
    if web and model.checksum is None:
        text = (
            "Without a checksum, a changed or forged image would be used unnoticed. Write `checksum:` with "
            "the digest that the publisher gives."
        )
        if desired.site.unchecked_images:
            yield UNCHECKED.at(block.place("source"), text)
        else:
            text += " The site's files may set `site: {unchecked_images: true}` instead."
            yield NO_CHECKSUM.at(block.place("source"), text)
    if model.size is not None and model.min_disk is not None and model.min_disk < model.size:
        text = "A root disk of `min_disk` could not hold the image. Raise it to `size` at least, or leave it out."
        yield MIN_DISK.at(block.place("min_disk"), text)
    format_, compression = images.forms(model.source, model.format, model.compression)
    if format_ == "qcow2" and compression != "none" and not web:
        text = (
            "qcow2 has its own compression; unpacking the file costs time and space on the controller. "
            "`qemu-img convert -c` does it."
        )
        yield COMPRESSED.at(block.place("source"), text)
    if model.firmware == "uefi-secure" and model.machine is not None and "q35" not in model.machine:
        text = f"Secure boot needs the machine q35, and this is {model.machine}. Change one of them."
        yield FIRMWARE.at(block.place("firmware"), text)
