"""Downloads from a real server that answers ranges, breaks off, changes its mind, or is no friend."""

from __future__ import annotations

import re
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.images import fetching

DATA = bytes(range(256)) * 4096


@dataclass
class Served:
    """What the server has, and how it behaves. `breaks` has after how many bytes each answer ends too early."""

    data: bytes = DATA
    etag: str = '"one"'
    status: int = 200
    breaks: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/image.qcow2"

    def answer(self, to: BaseHTTPRequestHandler) -> None:
        wanted = to.headers.get("Range", "")
        self.asked.append(wanted)
        if self.status != 200:
            to.send_error(self.status)
            return
        same = to.headers.get("If-Range", "") == self.etag
        start = int(re.findall(r"\d+", wanted)[0]) if wanted and same else 0
        if start and start >= len(self.data):
            to.send_error(416)
            return
        body = self.data[start:]
        to.send_response(206 if start else 200)
        to.send_header("Content-Length", str(len(body)))
        if start:
            to.send_header("Content-Range", f"bytes {start}-{len(self.data) - 1}/{len(self.data)}")
        if self.etag:
            to.send_header("ETag", self.etag)
        to.end_headers()
        to.wfile.write(body[: self.breaks.pop(0)] if self.breaks else body)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setattr(fetching, "PAUSES", (0, 0, 0))
    found = Served()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.answer(self)

        def log_message(self, *_words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield found
        server.shutdown()


def test_a_download_that_breaks_off_goes_on_where_it_was(served: Served, tmp_path: Path) -> None:
    served.breaks = [1000, 5000]
    fetching.fetch(served.url, str(tmp_path / "part"))
    assert (tmp_path / "part").read_bytes() == DATA
    assert served.asked == ["", "bytes=1000-", "bytes=6000-"]


def test_another_run_goes_on_where_the_last_one_gave_up(served: Served, tmp_path: Path) -> None:
    served.breaks = [1000, 0]
    with pytest.raises(fetching.Broke, match=r"STEAD-E402: .* broke off after 1000 of 1048576 bytes"):
        fetching.fetch(served.url, str(tmp_path / "part"))
    fetching.fetch(served.url, str(tmp_path / "part"))
    assert (tmp_path / "part").read_bytes() == DATA
    assert served.asked[-1] == "bytes=1000-"


def test_a_file_that_changed_meanwhile_is_fetched_anew(served: Served, tmp_path: Path) -> None:
    served.breaks = [1000, 0]
    with pytest.raises(fetching.Broke):
        fetching.fetch(served.url, str(tmp_path / "part"))
    served.etag, served.data = '"two"', DATA[::-1]
    fetching.fetch(served.url, str(tmp_path / "part"))
    assert (tmp_path / "part").read_bytes() == DATA[::-1]


@pytest.mark.parametrize("etag", ["", 'W/"weak"'])
def test_without_a_mark_that_can_be_trusted_it_begins_anew(served: Served, tmp_path: Path, etag: str) -> None:
    served.etag, served.breaks = etag, [1000]
    fetching.fetch(served.url, str(tmp_path / "part"))
    assert (tmp_path / "part").read_bytes() == DATA
    assert served.asked == ["", ""]


def test_what_was_whole_already_is_not_fetched_again(served: Served, tmp_path: Path) -> None:
    fetching.fetch(served.url, str(tmp_path / "part"))
    fetching.fetch(served.url, str(tmp_path / "part"))
    assert (tmp_path / "part").read_bytes() == DATA


def test_a_url_that_is_gone_is_said_so_at_once(served: Served, tmp_path: Path) -> None:
    served.status = 404
    with pytest.raises(Failed, match="answers 404 Not Found"):
        fetching.fetch(served.url, str(tmp_path / "part"))
    assert len(served.asked) == 1


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/x", "http://nowhere.invalid/x", "http://[bad/x", "http://a b/x", "http://h:port/x"]
)
def test_a_url_that_leads_nowhere_is_a_sentence(tmp_path: Path, url: str) -> None:
    with pytest.raises(Failed, match=r"Cannot fetch|broke off"):
        fetching.fetch(url, str(tmp_path / "part"))


def test_between_hosts_no_proxy_is_asked(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with pytest.raises(Failed):
        fetching.fetch(served.url, str(tmp_path / "part"))
    fetching.fetch(served.url, str(tmp_path / "part"), direct=True)
    assert (tmp_path / "part").read_bytes() == DATA


@pytest.fixture
def leading(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An https server that is believed, and sends everybody on to the http one."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", served.url)
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            pass

    key, certificate = tmp_path / "key.pem", tmp_path / "ca.crt"
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=test", "-keyout", str(key)]
    words += ["-out", str(certificate), "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(["openssl", *words], check=True, capture_output=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"https://127.0.0.1:{server.server_address[1]}/image.qcow2"
        server.shutdown()


def test_https_that_leads_to_http_is_refused(served: Served, leading: str, tmp_path: Path) -> None:
    with pytest.raises(Failed, match=f"STEAD-E403: .*redirects to {served.url}, which has no TLS"):
        fetching.fetch(leading, str(tmp_path / "got"))
    assert served.asked == []
