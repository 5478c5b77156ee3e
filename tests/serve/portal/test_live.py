"""Streams of events tell open pages when to ask again, are no more than they may be, and end when they must."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.serve.portal.browsing import PlainBrowser
from tests.serve.served import PASSWORD, Site, write_site

from stead.cli import main
from stead.serve.portal import live
from stead.serve.portal.sessions import IDLE

END = ""


class Stream:
    """What comes in, line by line; END when the server has ended it."""

    def __init__(self, browser: PlainBrowser) -> None:
        request = urllib.request.Request(f"{browser.site.url}/portal/live")  # noqa: S310 - our own
        request.add_header("Cookie", "; ".join(f"{name}={text}" for name, text in browser.cookies.items()))
        self._reply = urllib.request.urlopen(request, timeout=60)  # noqa: S310
        self.status, self.headers = self._reply.status, self._reply.headers
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            for line in self._reply:
                self._lines.put(line.decode().strip() or " ")
        except (OSError, ValueError):
            pass
        self._lines.put(END)

    def settled(self) -> None:
        """It is looked for changes from now on."""
        time.sleep(live.EVERY * 2)

    def until(self, wanted: str, seconds: float = 8.0) -> list[str]:
        """All that came before it."""
        found: list[str] = []
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            try:
                line = self._lines.get(timeout=left)
            except queue.Empty:
                break
            if line == wanted:
                return found
            found.append(line)
        raise AssertionError(f"no {wanted!r} in {seconds} s, but {found}")

    def close(self) -> None:
        """As a browser that is closed. Nothing where the server has ended it."""
        if self._reply.fp is not None:
            self._reply.fp.raw._sock.shutdown(2)


@pytest.fixture
def bob(site: Site) -> PlainBrowser:
    return PlainBrowser(site, "bob")


@pytest.fixture
def stream(bob: PlainBrowser) -> Iterator[Stream]:
    found = Stream(bob)
    yield found
    found.close()


def test_a_page_is_told_when_something_has_changed(site: Site, stream: Stream) -> None:
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert stream.headers["content-encoding"] is None
    stream.settled()
    name = f"new-{time.monotonic_ns()}"
    assert site.call("POST", "/network/v2.0/networks", {"network": {"name": name}}, "eve")[0] == 201
    assert stream.until("event: changed", 3.0) is not None


def test_how_far_runs_are_is_told_to_operators_alone(site: Site, stream: Stream, tmp_path: Path) -> None:
    ada = Stream(PlainBrowser(site, "ada"))
    assert site.worker.wait_idle(60)
    ada.settled()
    spec = ["-s", str(site.means.root)]
    assert main(["plan", "-q", "-o", str(tmp_path / "it.plan"), *spec]) == 0
    assert main(["review", "submit", str(tmp_path / "it.plan"), *spec]) == 0
    ada.until("event: steps", 3.0)
    ada.close()
    with pytest.raises(AssertionError) as nothing:
        stream.until("event: steps", 2.0)
    assert "steps" not in str(nothing.value).partition("but")[2]


def test_a_session_has_so_many_streams_and_no_more(bob: PlainBrowser, site: Site) -> None:
    some = [Stream(bob) for _ in range(live.OF_SESSION)]
    assert [one.status for one in some] == [200] * live.OF_SESSION
    assert Stream(bob).status == 204
    other = Stream(PlainBrowser(site, "bob"))
    assert other.status == 200
    for one in (*some, other):
        one.close()
    until = time.monotonic() + 10
    while (again := Stream(bob)).status == 204 and time.monotonic() < until:
        time.sleep(0.1)
    assert again.status == 200
    again.close()


def test_a_project_and_all_have_so_many(bob: PlainBrowser, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    eve = PlainBrowser(site, "eve")
    for bound in ("OF_PROJECT", "IN_ALL"):
        with monkeypatch.context() as patch:
            patch.setattr(live, bound, 1)
            until = time.monotonic() + 10
            while (first := Stream(bob)).status == 204 and time.monotonic() < until:
                time.sleep(0.1)
            second, third = Stream(PlainBrowser(site, "bob")), Stream(eve)
            assert (first.status, second.status) == (200, 204)
            assert third.status == (200 if bound == "OF_PROJECT" else 204)
            for one in (first, third):
                one.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "BEAT", 0.3)


@pytest.mark.usefixtures("quick")
def test_it_ends_when_one_logs_out(bob: PlainBrowser, stream: Stream) -> None:
    stream.until(": beat")
    assert bob.post("/logout").status == 303
    stream.until(END)


@pytest.mark.usefixtures("quick")
def test_it_ends_when_a_role_is_taken_away(site: Site) -> None:
    user = site.people.add_user("jim", PASSWORD)
    for role in ("reader", "member"):
        site.people.assign(user, site.projects["eves"], role)
    jim = Stream(PlainBrowser(site, "jim"))
    jim.until(": beat")
    site.people.unassign(user, site.projects["eves"], "member")
    jim.until(END)


@pytest.mark.usefixtures("quick")
def test_a_page_that_is_left_open_keeps_no_session_alive(
    site: Site, bob: PlainBrowser, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream.until(": beat")
    started = time.time()
    monkeypatch.setattr(site.cloud, "clock", lambda: started + 90.0)
    assert "set-cookie" not in bob.get("/live").headers
    assert "set-cookie" in bob.get("/").headers
    monkeypatch.setattr(site.cloud, "clock", lambda: started + IDLE + 1)
    stream.until(END)


def test_without_a_session_there_is_none(site: Site) -> None:
    assert PlainBrowser(site).get("/live").status == 303


class Served:
    """`stead serve` in a process of its own."""

    def __init__(self, folder: Path) -> None:
        words = [sys.executable, "-m", "stead"]
        made = [*words, "user", "create", "ada", "--admin", "--project", "demo", "-s", str(folder)]
        subprocess.run(made, input=PASSWORD, text=True, check=True, capture_output=True)
        self.url = f"http://127.0.0.1:{_free_port()}"
        address = self.url.removeprefix("http://")
        serving = [*words, "serve", "-s", str(folder), "--listen", address]
        self.process = subprocess.Popen(serving, stderr=subprocess.PIPE, env={**os.environ, "PYTHONUNBUFFERED": "1"})
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if b"running on" in line or b"Application startup complete" in line:
                break


def _free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as link:
        return int(link.getsockname()[1])


def test_the_server_does_not_wait_for_open_pages(tmp_path: Path) -> None:
    served: Any = Served(write_site(tmp_path))
    try:
        stream = Stream(PlainBrowser(served, "ada"))
        stream.until(f"retry: {live.AGAIN}")
        began = time.monotonic()
        served.process.send_signal(signal.SIGTERM)
        stream.until(END)
        assert served.process.wait(10) is not None
        assert time.monotonic() - began < 10
    finally:
        served.process.kill()
