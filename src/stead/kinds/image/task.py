"""What a task of a playbook says of an image."""

from __future__ import annotations

from typing import Annotated, Literal

from ansible_collections.stead.cloud.plugins.module_utils.wire.image import ImageWant
from stead.core.task import TaskForm, kept
from stead.core.value import value
from stead.kinds.image.model import Image


@value
class ImageWords:
    name: Annotated[str, "Name of the image"]
    state: Annotated[Literal["present", "absent"], "Whether the host has it"] = "present"


TASKS = {
    "image": TaskForm(
        own=(ImageWords,),
        models=(Image,),
        want=ImageWant,
        defaults={"source": None, "format": "qcow2", "compression": "none"},
        texts={
            "source": "Absolute path on the host, or an http or https URL. Required unless O(state=absent).",
            "checksum": "Digest of the file as it is fetched, C(sha256:) or C(sha512:) and hexadecimal digits.",
            "format": "Format of the file.",
            "compression": "How the file is compressed.",
            "size": "Size of the disk in the image, as C(3GiB). An image of another size is refused.",
        },
        returned=kept("the image on this host"),
    )
}
