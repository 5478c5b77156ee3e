"""What pages load: only from here. The look is that of the pages of plans and of capacity, and what a portal adds."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from stead.plan.render.style import DARK, LIGHT, STYLE

FOLDER = Path(__file__).parent / "static"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
STYLED = "portal.css"


@cache
def assets() -> dict[str, tuple[bytes, str]]:
    """By name: what it is, and its digest. Nothing else can be asked for."""
    found = {path.name: path.read_bytes() for path in FOLDER.iterdir() if path.suffix in TYPES}
    chosen = (
        f':root[data-theme="light"]{{color-scheme:light;{LIGHT}}}:root[data-theme="dark"]{{color-scheme:dark;{DARK}}}'
    )
    found[STYLED] = f"{STYLE}{chosen}".encode() + found[STYLED]
    return {name: (content, sha256(content).hexdigest()[:16]) for name, content in found.items()}


def url_of(name: str) -> str:
    """With its digest, so that a browser keeps it until it is another one."""
    return f"/portal/static/{name}?{assets()[name][1]}"


async def asset(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in assets():
        return Response(status_code=404)
    content, digest = assets()[name]
    known = {
        "etag": f'"{digest}"',
        "cache-control": "public, max-age=31536000, immutable" if request.url.query == digest else "no-cache",
        "x-content-type-options": "nosniff",
    }
    if request.headers.get("if-none-match") == known["etag"]:
        return Response(status_code=304, headers=known)
    return Response(content, headers=known, media_type=TYPES[Path(name).suffix])
