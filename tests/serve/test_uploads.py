"""A project that sends large images fills no disk of the site, and holds up no other."""

from __future__ import annotations

import socket
import time
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from tests.serve.served import Site

from stead.serve import uploads


def registered(site: Site, who: str) -> str:
    body = {"name": "large", "disk_format": "raw", "container_format": "bare"}
    return str(site.call("POST", "/image/v2/images", body, who)[2]["id"])


def begun(site: Site, who: str) -> socket.socket:
    """An upload that does not end."""
    at = urlsplit(site.url)
    link = socket.create_connection((str(at.hostname), int(at.port or 0)))
    head = [f"PUT /image/v2/images/{registered(site, who)}/file HTTP/1.1", "Host: x", "Content-Length: 1000000"]
    link.sendall("\r\n".join([*head, f"X-Auth-Token: {site.token(who)}", "", "some"]).encode())
    return link


def sent(site: Site, who: str) -> tuple[int, str]:
    status, headers, _ = site.call("PUT", f"/image/v2/images/{registered(site, who)}/file", None, who, raw=b"bytes")
    return status, headers.get("x-stead-code", "")


def being_written(site: Site) -> int:
    return len(list(site.means.uploads.glob(".upload-*")))


def soon(site: Site, files: int) -> None:
    until = time.monotonic() + 20
    while being_written(site) != files:
        assert time.monotonic() < until, being_written(site)
        time.sleep(0.05)


def test_a_project_sends_few_images_at_once_and_others_send_theirs(site: Site) -> None:
    with closing(begun(site, "bob")), closing(begun(site, "bob")):
        soon(site, 2)
        assert sent(site, "bob") == (429, "STEAD-W012")
        assert sent(site, "eve") == (204, "")
    soon(site, 0)
    assert sent(site, "bob") == (204, "")


def test_some_of_the_disk_stays_free(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "STAYS_FREE", 1 << 62)
    assert sent(site, "bob") == (413, "STEAD-W007")
    assert being_written(site) == 0
