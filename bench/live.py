"""What open pages of the portal cost the server: asking every three seconds, and told by a stream of events.

python bench/live.py [--pages 50] [--seconds 30]
"""

from __future__ import annotations

import argparse
import re
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

from api import HERE, INVENTORY, PASSWORD, SITE, Client, answers, processor
from measure import STEAD

ROOT = f"http://127.0.0.1:{HERE}"
OF_SESSION = 4  # streams
EVERY = 3.0  # seconds, as pages ask
ADDRESS = re.compile(r'hx-get="(/portal/instances[^"]*)"')


class OpenPage:
    """The list of instances, in a browser that somebody looks at."""

    def __init__(self, opener: urllib.request.OpenerDirector) -> None:
        self._opener, self._address = opener, ""
        self.asked = 0
        self.read("/portal/instances")

    def read(self, path: str) -> None:
        headers = {"HX-Request": "true", "x-stead-refresh": "1"} if self._address else {}
        with self._opener.open(urllib.request.Request(ROOT + path, headers=headers)) as reply:  # noqa: S310 - our own
            text = reply.read().decode()
        if found := ADDRESS.search(text):
            self._address = found[1].replace("&amp;", "&")
        self.asked += 1

    def ask(self, until: float) -> None:
        while time.monotonic() < until:
            time.sleep(EVERY)
            self.read(self._address)

    def listen(self, until: float) -> None:
        with self._opener.open(f"{ROOT}/portal/live") as reply:
            while time.monotonic() < until and (line := reply.readline()):
                if line.startswith(b"event: changed"):
                    self.read(self._address)


def opener(name: str) -> urllib.request.OpenerDirector:
    found = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    form = urlencode({"name": name, "password": PASSWORD}).encode()
    found.open(urllib.request.Request(f"{ROOT}/portal/login", form, {"Origin": ROOT})).read()  # noqa: S310 - our own
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=50, help="pages that are open")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long each way is measured")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="stead-bench-") as name:
        (Path(name) / "stead.yml").write_text(SITE, encoding="utf-8")
        (Path(name) / "inventory.yml").write_text(INVENTORY, encoding="utf-8")
        for user, project in (("ada", "demo"), ("bob", "other")):
            made = (*STEAD, "user", "create", user, "--project", project, "-s", name)
            subprocess.run(made, input=PASSWORD, text=True, check=True, capture_output=True)
        serving = (*STEAD, "serve", "-s", name, "--listen", f"127.0.0.1:{HERE}")
        served = subprocess.Popen(serving, stderr=subprocess.DEVNULL)
        try:
            client = Client(ROOT)
            answers(client.log_in)
            measure(client, served.pid, options.pages, options.seconds)
        finally:
            served.terminate()
            served.wait()


def measure(client: Client, pid: int, count: int, seconds: float) -> None:
    openers = [opener("ada" if number % 2 else "bob") for number in range(-(-count // OF_SESSION))]
    pages = [OpenPage(openers[number // OF_SESSION]) for number in range(count)]
    for changing in (False, True):
        for name, way in (("asking", OpenPage.ask), ("stream", OpenPage.listen)):
            used, asked = one(client, pid, pages, way, seconds, changing)
            what = "a change every 5 s" if changing else "nothing changes"
            print(f"{count} pages, {what}, {name}: {100 * used / seconds:.1f} % of a processor, {asked} requests")


def one(
    client: Client,
    pid: int,
    pages: list[OpenPage],
    way: Callable[[OpenPage, float], None],
    seconds: float,
    changing: bool,
) -> tuple[float, int]:
    until, before = time.monotonic() + seconds, sum(page.asked for page in pages)
    began = processor(pid)
    threads = [threading.Thread(target=way, args=(page, until), daemon=True) for page in pages]
    for number, thread in enumerate(threads):
        thread.start()
        time.sleep(EVERY / len(threads) if number else 0)  # nobody opens all of them at once
    while time.monotonic() < until:
        time.sleep(min(5.0, max(0.0, until - time.monotonic())))
        if changing:
            name = f"key-{time.monotonic_ns()}"
            client.call("POST", "/compute/v2.1/os-keypairs", {"keypair": {"name": name}})
    used, asked = processor(pid) - began, sum(page.asked for page in pages) - before
    for thread in threads:
        thread.join(15)
    return used, asked


if __name__ == "__main__":
    main()
