"""Buckets: containers of a project's account, whose settings are headers. A container says who made it.

The host that made it last is written in it. A host that had it before, and comes back from the dead, leaves it alone.
"""

from __future__ import annotations

import time
from typing import Any, Callable, Dict, List, Mapping, Optional
from urllib.parse import quote

from ...base.errors import Failed
from ...base.readings import Readings
from ...base.step import Want
from ...base.work import Work
from . import stores
from .client import PATIENCE, PAUSE, REFUSED, Client, client_of

QUOTA = "account_quota"  # the field of the want
MADE_BY = "x-container-meta-stead"
META = "x-container-meta-"
VERSIONS = "x-versions-enabled"
EVERYBODY = ".r:*,.rlistings"
GONE = 404
PAGE = 1000  # objects
PAGES = 300  # more than a container said that it has: listings are told late
MOST = 100000
SEGMENTS = "+segments"  # where S3's uploads in parts are
# What a project's people can set themselves, and what makes more of what is deleted, or keeps versions from ending.
ELSEWHERE = {"x-remove-" + one: "x" for one in ("versions-location", "container-sync-to", "container-sync-key")}


class Buckets:
    def ensure(self, want: Want, work: Work) -> None:
        if work.check and not _has_store(want):
            work.done.append("make bucket {0}".format(want["bucket"]))
            return
        client = client_of(want, work)
        _quota(client, want, work)
        now = client.ask("HEAD", _path(want))
        if now.status == GONE:
            wanted = {name: text for name, text in _all(want, work).items() if text}
            work.act("make bucket {0}".format(want["bucket"]), client.do, "PUT", _path(want), wanted)
            return
        changed: Dict[str, str] = {}
        for field, headers in _headers(want, work).items():
            other = {name: text for name, text in headers.items() if _plain(now.headers.get(name)) != _plain(text)}
            if other:
                work.differs(field, None, None)
                changed.update(other)
        if changed:
            work.act("change bucket {0}".format(want["bucket"]), _change, client, _path(want), changed)

    def remove(self, have: Want, work: Work) -> None:
        if not _has_store(have):
            return  # with the store, this host has lost every way to it
        client = client_of(have, work)
        now = client.ask("HEAD", _path(have))
        if now.status == GONE or now.headers.get(MADE_BY) != _mark(have, work):
            return
        work.act("remove bucket {0}".format(have["bucket"]), _remove, client, _path(have))

    def is_there(self, want: Want, _now: Readings) -> bool:
        return _has_store(want)

    def restore(self, want: Want, work: Work) -> None:
        """A boot loses nothing of it."""


def _has_store(want: Want) -> bool:
    try:
        stores.entry_of(want["store"]["uuid"])
    except Failed:
        return False
    return True


def _path(want: Want) -> str:
    return "/v1/AUTH_{0}/{1}".format(want["account"], want["bucket"])


def _mark(want: Want, work: Work) -> str:
    return "{0} {1}".format(want["uuid"], work.host)


def _plain(text: Optional[str]) -> str:
    """Swift writes truth in capitals, and says nothing where there is nothing."""
    return {"True": "true", "False": "", "false": "", None: ""}.get(text, text or "")


def _all(want: Want, work: Work) -> Dict[str, str]:
    return {name: text for headers in _headers(want, work).values() for name, text in headers.items()}


def _headers(want: Want, work: Work) -> Mapping[str, Mapping[str, str]]:
    """By field of the want. An empty header takes a setting away."""
    cors, website = want.get("cors") or {}, want.get("website") or {}
    return {
        "settings": {MADE_BY: _mark(want, work)},
        "public": {"x-container-read": EVERYBODY if want["public"] else ""},
        "quota": {META + "quota-bytes": _text(want.get("quota"))},
        "objects": {META + "quota-count": _text(want.get("objects"))},
        "versioning": {VERSIONS: "true" if want["versioning"] else "false"},
        "cors": {
            META + "access-control-allow-origin": " ".join(cors.get("origins", ())),
            META + "access-control-max-age": _text(cors.get("max_age")),
            META + "access-control-expose-headers": " ".join(cors.get("expose_headers", ())),
        },
        "website": {META + "web-index": website.get("index", ""), META + "web-error": website.get("error") or ""},
    }


def _text(value: Optional[int]) -> str:
    return "" if value is None else str(value)


def _quota(client: Client, want: Want, work: Work) -> None:
    """Of the whole account: what a project writes into buckets of its own making counts too."""
    most = _text(want.get(QUOTA))
    path = _path(want).rpartition("/")[0]
    now = client.ask("HEAD", path).headers.get("x-account-meta-quota-bytes", "")
    if now != most:
        headers = {"x-account-meta-quota-bytes": most}
        work.differs(QUOTA)
        work.act("set the quota of {0}".format(want["name"].partition("/")[0]), client.do, "POST", path, headers)


def _remove(client: Client, path: str) -> None:
    """The bucket, which says whose it is, goes last: who is killed on the way does all of it again."""
    if client.ask("HEAD", path + SEGMENTS).status != GONE:
        _end(client, path + SEGMENTS)
    _end(client, path)


def _change(client: Client, path: str, headers: Mapping[str, str]) -> None:
    """Swift says neither yes nor no to versions where a project's people have sent them elsewhere."""
    if VERSIONS in headers:
        client.do("POST", path, ELSEWHERE)
    client.do("POST", path, headers)


def _end(client: Client, path: str) -> None:
    _change(client, path, {VERSIONS: "false"})
    _emptied(client, path)
    _forgotten(client, path)
    client.do("DELETE", path)


def _emptied(client: Client, path: str) -> None:
    """Many in one request, or one by one where that takes none: it reads no name that is very long when quoted."""
    account, _slash, container = path.rpartition("/")

    def away(listed: List[Dict[str, Any]], again: bool) -> None:
        names = [one["name"] for one in listed]
        if again:
            for name in names:
                client.ask("DELETE", "{0}/{1}".format(path, name))
            return
        lines = "".join(quote("/{0}/{1}".format(container, name)) + "\n" for name in names)
        client.ask("POST", account, {"Content-Type": "text/plain"}, lines.encode(), "bulk-delete")

    there = int(client.ask("HEAD", path).headers.get("x-container-object-count", "0"))
    _without(client, path, "", PAGES + there // PAGE, away)


def _forgotten(client: Client, path: str) -> None:
    """Versions, one by one."""

    def away(listed: List[Dict[str, Any]], _again: bool) -> None:
        for one in listed:
            client.ask("DELETE", "{0}/{1}".format(path, one["name"]), query="version-id=" + quote(one["version_id"]))

    _without(client, path, "&versions=true", MOST, away)


def _without(
    client: Client, path: str, query: str, pages: int, away: Callable[[List[Dict[str, Any]], bool], None]
) -> None:
    """Until none is listed. Who goes on writing meanwhile is too fast for it, and the container stays."""
    before: List[Dict[str, Any]] = []
    until = 0.0
    for _page in range(pages):
        listed = client.page(path, query)
        if not listed:
            return
        again = listed == before
        if again and time.monotonic() > until:
            break
        if again:
            time.sleep(PAUSE)
        else:
            before, until = listed, time.monotonic() + PATIENCE
        away(listed, again)
    text = "{0} still has objects. Whoever has the key of its project may be writing them. Stop that, and apply again."
    raise Failed(REFUSED, text.format(path))
