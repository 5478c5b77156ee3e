"""A browser without a screen: it keeps cookies, and sends forms as pages have them."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from tests.serve.served import PASSWORD, Site

from stead.core.named import NamedTuple

FORM_TOKEN = re.compile(r'data-form="([^"]*)"')


class Got(NamedTuple):
    status: int
    headers: Mapping[str, str]
    text: str


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        return None


class PlainBrowser:
    def __init__(self, site: Site, name: str = "", password: str = PASSWORD) -> None:
        self.site, self.cookies, self.token = site, dict[str, str](), ""
        self._opener = urllib.request.build_opener(_Stay)
        if name:
            assert self.log_in(name, password).status == 303
            self.token = FORM_TOKEN.findall(self.get("/").text)[0]

    def log_in(self, name: str, password: str = PASSWORD) -> Got:
        return self.post("/login", name=name, password=password)

    def get(self, path: str, **headers: str) -> Got:
        return self._open(path, None, headers)

    def post(self, path: str, *, origin: str | None = None, **form: Any) -> Got:
        headers = {"Origin": self.site.url if origin is None else origin}
        return self._open(path, urlencode({"form_token": self.token, **form}, doseq=True).encode(), headers)

    def _open(self, path: str, data: bytes | None, headers: Mapping[str, str]) -> Got:
        request = urllib.request.Request(f"{self.site.url}/portal{path}", data=data)  # noqa: S310 - our own
        for name, text in headers.items():
            request.add_header(name.replace("_", "-"), text)
        request.add_header("Cookie", "; ".join(f"{name}={text}" for name, text in self.cookies.items()))
        try:
            with self._opener.open(request, timeout=30) as reply:
                return self._read(reply)
        except urllib.error.HTTPError as error:
            with error:
                return self._read(error)

    def _read(self, reply: Any) -> Got:
        for line in reply.headers.get_all("set-cookie") or ():
            name, _, rest = line.partition("=")
            self.cookies[name] = rest.partition(";")[0].strip('"')
            self.set_cookie = line
        return Got(reply.status, {name.lower(): text for name, text in reply.headers.items()}, _text(reply))


def _text(reply: Any) -> str:
    """Of a stream of events, which has no end, the beginning."""
    streams = reply.headers.get_content_type() == "text/event-stream"
    return str((reply.readline() if streams else reply.read()).decode())


def with_network(site: Site, who: str, name: str = "app") -> str:
    """Its id."""
    made = site.call("POST", "/network/v2.0/networks", {"network": {"name": name}}, who)[2]["network"]["id"]
    subnet = {"subnet": {"network_id": made, "cidr": "10.5.0.0/24"}}
    assert site.call("POST", "/network/v2.0/subnets", subnet, who)[0] == 201
    return str(made)


def with_server(site: Site, who: str, name: str, network: str = "", **more: Any) -> str:
    """Its id."""
    flavors = site.call("GET", "/compute/v2.1/flavors", None, who)[2]["flavors"]
    tiny = next(one["id"] for one in flavors if one["name"] == "tiny")
    image = site.call("GET", "/image/v2/images", None, who)[2]["images"][0]["id"]
    networks = [{"uuid": network}] if network else "none"
    asked = {"name": name, "flavorRef": tiny, "imageRef": image, "networks": networks, **more}
    status, _, answer = site.call("POST", "/compute/v2.1/servers", {"server": asked}, who)
    assert status == 202, answer
    return str(answer["server"]["id"])
