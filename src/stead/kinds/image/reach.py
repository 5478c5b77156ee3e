"""What an image does beyond its project: the controller reads the file, or asks the URL, that it names."""

from __future__ import annotations

from collections.abc import Iterator

from stead.core.kind import Reach
from stead.kinds.image.model import Image
from stead.language.desired import Block, Desired


def reaches(block: Block, _desired: Desired) -> Iterator[Reach]:
    model: Image = block.model
    why = f"The controller would read {model.source}, which is below none of `site.image_sources`"
    yield Reach("image_sources", model.source, "source", why)
    if not model.source.startswith("/") and model.checksum is None:
        why = "Whoever answers at the URL decides what it is, as there is no `checksum`"
        yield Reach("unchecked_images", True, "source", why)
