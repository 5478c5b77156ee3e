"""A disk image that root disks and volumes are made from, fetched once and checked."""

from stead.core.effect import IN_PLACE, NAMED
from stead.core.kind import Kind, QuotaWord, Scope
from stead.kinds.image.model import Image
from stead.kinds.image.reach import reaches
from stead.kinds.image.realise import extent, facts, realise
from stead.kinds.image.rules import check

KIND = Kind(
    name="image",
    plural="images",
    home_role="controller",
    scope=Scope.EITHER,
    model=Image,
    help="A disk image that root disks and volumes are made from, fetched once and checked.",
    highlights=("source", "format"),
    extent=extent,
    quota={"images": QuotaWord("Images of the project's own")},
    reaches=reaches,
    check=check,
    realise=realise,
    facts=facts,
    seen={
        "name": "its name; of a member with the index or key: `web-0`",
        "uuid": "its UUID",
        "source": "where it is fetched from",
        "checksum": "its checksum, or nothing",
        "user": "login that its cloud-init makes",
        "os": "its operating system",
    },
    # Hosts keep images by their content: another one lies beside the old until no disk stands on that any more.
    effects={
        **NAMED,
        **dict.fromkeys(("source", "checksum", "compression", "format", "from", "keeps", "size"), IN_PLACE),
    },
    parts=("served",),
    field_map={"keeps": "source", "from": "source"},
    words={
        "from": "host that gives it",
        "from.host": "host that gives it",
        "from.server": "address of the host that gives it",
        "keeps": "contents kept",
    },
)
