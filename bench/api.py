"""What the API costs: lists beside a server that sends the same bytes from memory, creates at once, and memory.

python bench/api.py [--servers 1000]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from measure import STEAD

SITE = """
stead: 1
images: {tiny: {source: /srv/images/tiny.qcow2}}
flavors: {tiny: {vcpus: 1, memory: 256MiB, disk: 1GiB}}
"""
INVENTORY = """
all:
  vars: {stead_runner: simulated}
  children:
    network: {hosts: {network-1: {}}}
    compute: {hosts: {"compute-[1:64]": {stead_vcpus: 256, stead_memory: 1TiB}}}
"""
# The floor: the same web server, sending a file from memory.
FLOOR = """
import sys
import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
body = open(sys.argv[1], "rb").read()
async def same(request): return Response(body, media_type="application/json")
uvicorn.run(Starlette(routes=[Route("/", same)]), host="127.0.0.1", port=int(sys.argv[2]), log_level="warning")
"""
PASSWORD = "correct horse battery"  # noqa: S105 - of a site that lasts a minute
HERE, BESIDE = 18790, 18791
TIMES = 15


class Client:
    def __init__(self, root: str) -> None:
        self.root, self.token, self.project = root, "", ""

    def call(self, method: str, path: str, body: Any = None) -> tuple[Any, Any]:
        data = json.dumps(body).encode() if body is not None else None
        headers = {"Content-Type": "application/json", "X-Auth-Token": self.token}
        request = urllib.request.Request(self.root + path, data, headers, method=method)  # noqa: S310 - our own
        with urllib.request.urlopen(request) as reply:  # noqa: S310 - our own
            return reply.headers, reply.read()

    def log_in(self) -> None:
        user = {"name": "ada", "domain": {"id": "default"}, "password": PASSWORD}
        body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}}
        headers, text = self.call("POST", "/identity/v3/auth/tokens", body)
        self.token, self.project = headers["x-subject-token"], json.loads(text)["token"]["project"]["id"]

    def one(self, path: str, kind: str) -> str:
        found: str = json.loads(self.call("GET", path)[1])[kind][0]["id"]
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", type=int, default=1000, help="servers that are listed")
    count = parser.parse_args().servers
    with tempfile.TemporaryDirectory(prefix="stead-bench-") as name:
        folder = Path(name)
        (folder / "stead.yml").write_text(SITE, encoding="utf-8")
        (folder / "inventory.yml").write_text(INVENTORY, encoding="utf-8")
        made = (*STEAD, "user", "create", "ada", "--admin", "--project", "demo", "-s", name)
        subprocess.run(made, input=PASSWORD, text=True, check=True, capture_output=True)
        served = subprocess.Popen(
            (*STEAD, "serve", "-s", name, "--listen", f"127.0.0.1:{HERE}"), stderr=subprocess.DEVNULL
        )
        try:
            measure(Client(f"http://127.0.0.1:{HERE}"), folder, count, served.pid)
        finally:
            served.terminate()
            served.wait()


def measure(client: Client, folder: Path, count: int, pid: int) -> None:
    answers(client.log_in)
    flavor, image = client.one("/compute/v2.1/flavors", "flavors"), client.one("/image/v2/images", "images")
    _, network = client.call("POST", "/network/v2.0/networks", {"network": {"name": "app"}})
    network = json.loads(network)["network"]["id"]
    client.call("POST", "/network/v2.0/subnets", {"subnet": {"network_id": network, "cidr": "10.0.0.0/16"}})
    body = {"server": {"name": "web", "flavorRef": flavor, "imageRef": image, "networks": [{"uuid": network}]}}
    at_once(client, body)
    for left in range(count - 50, 0, -100):
        more = {"server": {**body["server"], "min_count": min(left, 100), "max_count": min(left, 100)}}
        client.call("POST", "/compute/v2.1/servers", more)
    lists(client, folder, count)
    pages(client)
    one_more(client, body, pid)
    print(f"resident memory of stead serve: {resident(pid):.0f} MiB  (aim 150)")


def at_once(client: Client, body: Any) -> None:
    began = time.perf_counter()
    with ThreadPoolExecutor(50) as pool:
        list(pool.map(lambda _: client.call("POST", "/compute/v2.1/servers", body), range(50)))
    accepted = time.perf_counter() - began
    while '"BUILD"' in client.call("GET", "/compute/v2.1/servers/detail")[1].decode():
        time.sleep(0.2)
    done = time.perf_counter() - began
    print(f"50 creates at once: accepted in {accepted:.1f} s (aim 2), all of them active after {done:.1f} s")


def lists(client: Client, folder: Path, count: int) -> None:
    _, text = client.call("GET", "/compute/v2.1/servers/detail")
    (folder / "same.json").write_bytes(text)
    beside = subprocess.Popen((sys.executable, "-c", FLOOR, str(folder / "same.json"), str(BESIDE)))
    try:
        floor = Client(f"http://127.0.0.1:{BESIDE}")
        answers(lambda: floor.call("GET", "/"))
        pairs = [(took(client, "/compute/v2.1/servers/detail"), took(floor, "/")) for _ in range(TIMES)]
    finally:
        beside.terminate()
        beside.wait()
    ours, theirs = min(one for one, _ in pairs), min(one for _, one in pairs)
    print(f"GET /servers/detail, {count:,} servers, {len(text) >> 10:,} KiB: {ours * 1000:.1f} ms,", end=" ")
    print(f"{ours / theirs:.1f}x of sending the same bytes from memory  (aim 3x)")


def pages(client: Client) -> None:
    """As clients list all that there is: by the links of the answers."""
    began, found, path = time.perf_counter(), 0, "/compute/v2.1/servers/detail?limit=1000"
    while path:
        answer = json.loads(client.call("GET", path)[1])
        found += len(answer["servers"])
        path = next((one["href"].removeprefix(client.root) for one in answer.get("servers_links", ())), "")
    print(f"{found:,} servers in pages of 1,000: {time.perf_counter() - began:.2f} s  (aim 2 for 10,000)")


def one_more(client: Client, body: Any, pid: int) -> None:
    began = processor(pid)
    client.call("POST", "/compute/v2.1/servers", body)
    answered = processor(pid) - began
    while '"BUILD"' in client.call("GET", "/compute/v2.1/servers/detail?limit=1")[1].decode():
        time.sleep(0.2)
    active = processor(pid) - began
    print(f"one create beside them: {answered:.2f} s of CPU until it is answered, {active:.2f} s until it is active")


def processor(pid: int) -> float:
    """Seconds that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def took(client: Client, path: str) -> float:
    began = time.perf_counter()
    client.call("GET", path)
    return time.perf_counter() - began


def answers(ask: Callable[[], Any]) -> None:
    for _ in range(200):
        try:
            ask()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the server does not answer")


def resident(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    main()
