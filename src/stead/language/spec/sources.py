"""Whether an image's source lies under a folder or URL that a site has declared. Opens nothing, follows nothing."""

from __future__ import annotations

import re

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<place>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::(?P<port>[0-9]{1,5}))?(?P<path>/.*)"
)
_PORTS = {"http": "80", "https": "443"}


def within(source: str, declared: str) -> bool:
    """By whole parts of the path: /srv/images holds no /srv/images-of-others."""
    one, other = _parts(source), _parts(declared)
    if one is None or other is None or one[0] != other[0]:
        return False
    return one[1][: len(other[1])] == other[1] and len(one[1]) > len(other[1])


def _parts(text: str) -> tuple[str, list[str]] | None:
    """Where it is, and the path in parts. None where somebody else might read it as something else."""
    if any(ord(one) <= 32 or ord(one) >= 127 or one == "\\" for one in text):
        return None
    place, path = "", text
    if not text.startswith("/"):
        match = _URL.fullmatch(text)
        if match is None or any(one in match["path"] for one in "%?#@"):
            return None
        port = match["port"] or _PORTS[match["scheme"]]
        place, path = f"{match['scheme']}://{match['place'].lower()}:{int(port)}", match["path"]
    parts = [one for one in path.split("/") if one]
    return None if {".", ".."} & set(parts) else (place, parts)
