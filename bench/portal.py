"""What the portal's list of a thousand instances costs a browser: a page after a change, the next, and all bytes.

python bench/portal.py [--servers 1000]
"""

from __future__ import annotations

import argparse
import gzip
import re
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

from api import HERE, INVENTORY, PASSWORD, SITE, Client, answers, processor
from measure import STEAD

ROOT = f"http://127.0.0.1:{HERE}"
TIMES = 9
LOADED = re.compile(r'(?:src|href)="(/portal/static/[^"]+)"')


class Browser:
    """It keeps its cookie, and asks for compressed pages."""

    def __init__(self) -> None:
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        form = urllib.parse.urlencode({"name": "ada", "password": PASSWORD}).encode()
        request = urllib.request.Request(f"{ROOT}/portal/login", form, {"Origin": ROOT})  # noqa: S310 - our own
        self._opener.open(request).read()

    def get(self, path: str, **headers: str) -> tuple[bytes, float]:
        """As it is sent, and the seconds that it took."""
        asked = {"Accept-Encoding": "gzip", **{name.replace("_", "-"): text for name, text in headers.items()}}
        request = urllib.request.Request(ROOT + path, headers=asked)  # noqa: S310 - our own
        began = time.perf_counter()
        with self._opener.open(request) as reply:
            return reply.read(), time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", type=int, default=1000, help="instances that are listed")
    count = parser.parse_args().servers
    with tempfile.TemporaryDirectory(prefix="stead-bench-") as name:
        (Path(name) / "stead.yml").write_text(SITE, encoding="utf-8")
        (Path(name) / "inventory.yml").write_text(INVENTORY, encoding="utf-8")
        made = (*STEAD, "user", "create", "ada", "--admin", "--project", "demo", "-s", name)
        subprocess.run(made, input=PASSWORD, text=True, check=True, capture_output=True)
        served = subprocess.Popen(
            (*STEAD, "serve", "-s", name, "--listen", f"127.0.0.1:{HERE}"), stderr=subprocess.DEVNULL
        )
        try:
            client = Client(ROOT)
            answers(client.log_in)
            fill(client, count)
            measure(client, served.pid)
        finally:
            served.terminate()
            served.wait()


def fill(client: Client, count: int) -> None:
    flavor, image = client.one("/compute/v2.1/flavors", "flavors"), client.one("/image/v2/images", "images")
    for left in range(count, 0, -100):
        some = {"name": "web", "flavorRef": flavor, "imageRef": image, "networks": "none"}
        body = {"server": {**some, "min_count": min(left, 100), "max_count": min(left, 100)}}
        client.call("POST", "/compute/v2.1/servers", body)
    while '"BUILD"' in client.call("GET", "/compute/v2.1/servers/detail")[1].decode():
        time.sleep(0.5)


def measure(client: Client, pid: int) -> None:
    browser = Browser()
    client.call("POST", "/compute/v2.1/os-keypairs", {"keypair": {"name": "changed"}})
    time.sleep(3)  # for the worker to apply it: what was read before is nothing now
    text, first = browser.get("/portal/instances")
    again = sorted(browser.get("/portal/instances")[1] for _ in range(TIMES))[TIMES // 2]
    page = gzip.decompress(text)
    loaded = sum(len(browser.get(path)[0]) for path in set(LOADED.findall(page.decode())))
    print(f"the list of {page.count(b'<tr>') - 1:,} instances: {first * 1000:.0f} ms the first time,", end=" ")
    print(f"{again * 1000:.0f} ms again  (aim 500)")
    print(f"bytes: {len(text) >> 10} KiB for the page, {len(page) >> 10} KiB unpacked,", end=" ")
    print(f"{(len(text) + loaded) >> 10} KiB with all that it loads  (aim 300)")
    stamp = re.findall(rb"stamp=([0-9-]+)", page)[0].decode()
    before = processor(pid)
    for _ in range(100):
        browser.get(f"/portal/instances?stamp={stamp}", HX_Request="true")
    print(f"asking whether it has changed: {(processor(pid) - before) * 10:.1f} ms of CPU")


if __name__ == "__main__":
    main()
