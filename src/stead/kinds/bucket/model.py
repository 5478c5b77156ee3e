"""What a user may write of a bucket."""

from __future__ import annotations

from typing import Annotated

from stead.core.address import Address
from stead.core.fields import Example, Granted, Ref, Size, Text, Whole
from stead.core.value import value

ORIGIN = Text(
    pattern=r"\*|https?://[A-Za-z0-9.:\[\]-]+", what="* or an origin such as https://example.org", longest=255
)
FILE = Text(pattern=r"[A-Za-z0-9._-]+", what="a plain name of an object", longest=255)
HEADER = Text(pattern=r"[A-Za-z0-9-]+", what="the name of a header", longest=100)


@value
class Cors:
    """What scripts of other sites may do, in browsers."""

    origins: Annotated[tuple[Annotated[str, ORIGIN], ...], "Sites whose scripts may", Example(["https://example.org"])]
    max_age: Annotated[int | None, Whole(least=0, most=86400), "Seconds for which browsers remember it"] = None
    expose_headers: Annotated[
        tuple[Annotated[str, HEADER], ...], "Headers that scripts see, beside the usual ones", Example(["ETag"])
    ] = ()


@value
class Website:
    """A static website of what is in it."""

    index: Annotated[str, FILE, "Object for a path that ends in a slash"] = "index.html"
    error: Annotated[
        str | None,
        FILE,
        "End of the names of error pages: `error.html` makes 404error.html",
        Example("error.html"),
    ] = None


@value
class Bucket:
    store: Annotated[Address, Ref("object_stores"), "Object store that it is in", Example("main")]
    quota: Annotated[int | None, Size(), "The most that it may hold, without its versions", Example("10GiB")] = None
    objects: Annotated[int | None, Whole(least=1), "The most objects that it may hold", Example(100000)] = None
    versioning: Annotated[bool, "Overwritten and deleted objects are kept as versions"] = False
    public: Annotated[bool, Granted("public_buckets"), "Everybody may read it, without a key"] = False
    cors: Annotated[Cors | None, "What scripts of other sites may do, in browsers"] = None
    website: Annotated[Website | None, "It is a static website, for everybody"] = None
    description: Annotated[str, Text(lines=True), "For people"] = ""
