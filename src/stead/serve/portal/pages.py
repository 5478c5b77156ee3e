"""From values to pages: templates that escape all they are given, and the headers that every page has."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from stead.core.named import NamedTuple
from stead.plan.render.svg import STYLE as DRAWN
from stead.serve.portal.meters import NAMED
from stead.serve.portal.statics import url_of
from stead.serve.portal.texts import languages, say_in
from stead.serve.portal.visits import Visit
from stead.serve.routes import AccessPolicy

BASE = "/portal"
FOLDER = Path(__file__).parent / "templates"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'{styles}; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY.format(styles=""),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


def policy_with(*sheets: str) -> dict[str, str]:
    """The header of a page that has these sheets of style within it: they are allowed by their digests."""
    digests = (b64encode(sha256(one.encode()).digest()).decode() for one in sheets)
    return {"content-security-policy": POLICY.format(styles="".join(f" 'sha256-{one}'" for one in digests))}


class NavigationLink(NamedTuple):
    path: str
    text: str
    icon: str
    policy: AccessPolicy = AccessPolicy.READER


NAVIGATION: Mapping[str, tuple[NavigationLink, ...]] = {
    "Project": (
        NavigationLink("/", "Overview", "overview", AccessPolicy.ANYONE),
        NavigationLink("/instances", "Instances", "instance"),
        NavigationLink("/topology", "Topology", "topology"),
        NavigationLink("/networks", "Networks", "network"),
        NavigationLink("/routers", "Routers", "router"),
        NavigationLink("/security-groups", "Security groups", "group"),
        NavigationLink("/floating-ips", "Floating IPs", "address"),
        NavigationLink("/volumes", "Volumes", "volume"),
        NavigationLink("/images", "Images", "image"),
        NavigationLink("/keys", "Keys", "key"),
    ),
    "Cloud": (
        NavigationLink("/hosts", "Hosts", "host", AccessPolicy.ADMIN),
        NavigationLink("/capacity", "Capacity", "capacity", AccessPolicy.ADMIN),
        NavigationLink("/reviews", "Plans for review", "review", AccessPolicy.REVIEWER),
        NavigationLink("/runs", "Runs", "run", AccessPolicy.ADMIN),
        NavigationLink("/drift", "Drift", "drift", AccessPolicy.ADMIN),
        NavigationLink("/projects", "Projects", "project", AccessPolicy.ADMIN),
    ),
}


@cache
def templates() -> Environment:
    found = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals |= {"base": BASE, "languages": tuple(languages()), "asset": url_of, "meters": NAMED}
    return found


def part(visit: Visit, template: str, /, **values: Any) -> str:
    """`_` says a text in the reader's language."""
    return templates().get_template(template).render(visit=visit, _=say_in(visit.language), **values)


def page(visit: Visit, template: str, /, status: int = 200, **values: Any) -> Response:
    return HTMLResponse(part(visit, template, **_around(visit), **values), status)


def page_with_plan(visit: Visit, template: str, /, **values: Any) -> Response:
    """With a plan's drawings, which bring their style along."""
    return HTMLResponse(part(visit, template, **_around(visit), **values), headers=policy_with(DRAWN))


def _around(visit: Visit) -> dict[str, Any]:
    path = visit.request.url.path.removeprefix(BASE) or "/"
    shown = {title: [one for one in links if visit.may(one.policy)] for title, links in NAVIGATION.items()}
    at = max((one.path for links in shown.values() for one in links if _is_below(path, one.path)), key=len, default="")
    return {"navigation": {title: links for title, links in shown.items() if links}, "at": at}


def _is_below(path: str, link: str) -> bool:
    return path == link or (link != "/" and path.startswith(f"{link}/"))
