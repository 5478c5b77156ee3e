"""A store on two PostgreSQL servers: the primary dies under a run, and its standby takes over."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from tests.contract.postgres_tools import tool, unprivileged
from waiting import patiently

from stead.core.address import Address
from stead.core.diagnostics import Refused
from stead.core.recorded import Record
from stead.store import Store, open_store, postgres
from stead.store.model import LockRequest, Outcome, Start, Writes

PROMOTED_AFTER = 2.0  # seconds in which nobody takes writes


@dataclass
class Pair:
    """A primary that waits for its standby before it says that a write is kept."""

    home: Path
    prefix: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.prefix = unprivileged(self.home)
        self._run(tool("initdb"), "-D", self._data("one"), "-U", "stead", "--no-sync")
        self.start("one", "-c synchronous_standby_names=*")
        with self.own_words("one") as connection:
            connection.execute("SET synchronous_commit = local")
            connection.execute("SELECT pg_create_physical_replication_slot('two')")
        source = f"host={self.home / 'one'} user=stead"
        self._run(tool("pg_basebackup"), "-D", self._data("two"), "-R", "-S", "two", "-d", source, "-c", "fast")
        self.start("two")

    def _data(self, name: str) -> str:
        return str(self.home / f"{name}-data")

    def _run(self, *words: str) -> None:
        subprocess.run([*self.prefix, *words], check=True, cwd=self.home, stdout=subprocess.DEVNULL, timeout=60)

    def control(self, name: str, *words: str) -> None:
        self._run(tool("pg_ctl"), "-D", self._data(name), "-l", str(self.home / f"{name}-log"), *words)

    def start(self, name: str, more: str = "") -> None:
        self._run("mkdir", "-p", str(self.home / name))
        own = f"-c listen_addresses='' -c unix_socket_directories={self.home / name} -c fsync=off {more}"
        self.control(name, "-w", "-o", own, "start")

    def kill(self, name: str) -> None:
        self.control(name, "-m", "immediate", "stop")

    def own_words(self, name: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(f"host={self.home / name} user=stead dbname=postgres", autocommit=True)

    @property
    def url(self) -> str:
        return f"postgresql:///postgres?host={self.home / 'one'},{self.home / 'two'}&user=stead"


@pytest.fixture
def pair() -> Iterator[Pair]:
    with tempfile.TemporaryDirectory(prefix="stead-pg-") as name:
        made = Pair(Path(name))
        try:
            yield made
        finally:
            for one in ("one", "two"):
                subprocess.run(
                    [*made.prefix, tool("pg_ctl"), "-D", made._data(one), "-m", "immediate", "stop"],
                    check=False,
                    cwd=made.home,
                    capture_output=True,
                )


@pytest.fixture
def store(pair: Pair, tmp_path: Path) -> Iterator[Store]:
    opened = open_store(pair.url, directory=tmp_path, create=True)
    yield opened
    opened.close()


def recorded(number: int) -> Writes:
    return Writes(records=[Record(address=Address("", "projects", f"p{number}"), leases={"uuid": str(number)})])


def names(store: Store) -> set[str]:
    return {str(address) for address in store.recorded().resources}


def test_a_run_goes_on_at_the_standby_and_nothing_is_lost(pair: Pair, store: Store) -> None:
    with store.lock(LockRequest("ada", "")) as hold:
        run = store.start(hold, Start(who="ada", reason="", plan="p", steps=2), recorded(0))
        for number in range(1, 20):
            store.write(hold, run, recorded(number))
        pair.kill("one")
        promotion = threading.Timer(PROMOTED_AFTER, pair.control, ("two", "-w", "promote"))
        promotion.start()
        begun = time.monotonic()
        store.write(hold, run, recorded(20))
        assert time.monotonic() - begun >= PROMOTED_AFTER - 0.5
        promotion.join()
        store.finish(hold, run, Outcome.DONE, Writes())
    assert names(store) == {f"projects/p{number}" for number in range(21)}
    assert [one.outcome for one in store.runs()] == [Outcome.DONE]


def test_a_reading_waits_for_the_failover(pair: Pair, store: Store) -> None:
    before = store.serial()
    pair.kill("one")
    pair.control("two", "-w", "promote")
    assert store.serial() == before


def test_a_standby_is_not_written_to(pair: Pair, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "PATIENCE", 1.0)
    pair.kill("one")
    with pytest.raises(Refused) as refusal:
        store.serial()
    assert refusal.value.diagnostics[0].code == "STEAD-S009"


def test_a_write_that_was_cut_within_is_told_and_not_half_kept(
    pair: Pair, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "PATIENCE", 10.0)
    with store.lock(LockRequest("ada", "")) as hold:
        run = store.start(hold, Start(who="ada", reason="", plan="p", steps=1), recorded(0))

        def cut(*_: object) -> None:
            pair.kill("one")
            pair.control("two", "-w", "promote")

        monkeypatch.setattr("stead.store.writing.metering.forget", cut)
        with pytest.raises(Refused) as refusal:
            store.write(hold, run, Writes(records=recorded(1).records, gone=[Address("", "projects", "p0")]))
        assert refusal.value.diagnostics[0].code == "STEAD-S009"
        assert names(store) == {"projects/p0"}


SITE = """
stead: 1
flavors: {small: {vcpus: 1, memory: 1GiB, disk: 1GiB}}
images: {tiny: {source: "https://example.org/tiny.qcow2", checksum: "sha256:%s"}}
projects:
  acme:
    quota: {instances: 20}
    networks: {app: {subnets: {v4: {cidr: 10.20.0.0/24}}}}
    instances: {web: {count: 6, flavor: small, image: tiny, networks: [app]}}
""" % ("0" * 64)
HOSTS = """
all: {vars: {stead_runner: simulated}}
compute: {hosts: {"compute-[1:3]": }}
network: {hosts: {compute-1: }}
"""


def test_an_apply_goes_on_through_a_failover(pair: Pair, tmp_path: Path) -> None:
    (tmp_path / "stead.yml").write_text(SITE, encoding="utf-8")
    (tmp_path / "inventory.yml").write_text(HOSTS, encoding="utf-8")
    command = [sys.executable, "-m", "stead"]
    surroundings = {**os.environ, "STEAD_STORE": pair.url}

    def stead(*words: str) -> str:
        done = subprocess.run(
            [*command, *words], cwd=tmp_path, env=surroundings, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    stead("simulate", "slow", "compute-1", "4")
    with subprocess.Popen(
        [*command, "apply", "--auto-approve"],
        cwd=tmp_path,
        env=surroundings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as applying:
        patiently(lambda: "running" in stead("runs"))
        pair.kill("one")
        time.sleep(PROMOTED_AFTER)
        assert applying.poll() is None
        pair.control("two", "-w", "promote")
        told, _ = applying.communicate(timeout=90)
    assert applying.returncode == 0, told
    assert "done" in stead("runs")
    stead("plan", "--detailed-exitcode")


def test_a_watch_outlives_a_failover(pair: Pair, tmp_path: Path) -> None:
    (tmp_path / "stead.yml").write_text("stead: 1\n", encoding="utf-8")
    (tmp_path / "inventory.yml").write_text(HOSTS, encoding="utf-8")
    surroundings = {**os.environ, "STEAD_STORE": pair.url}
    command = [sys.executable, "-m", "stead"]
    subprocess.run([*command, "apply", "--auto-approve"], cwd=tmp_path, env=surroundings, check=True)
    heard = tmp_path / "heard"
    with (
        heard.open("w", encoding="utf-8") as said,
        subprocess.Popen(
            [*command, "watch", "--every", "1"], cwd=tmp_path, env=surroundings, stdout=said, stderr=said
        ) as watching,
    ):
        try:
            with pair.own_words("one") as asked:
                patiently(
                    lambda: asked.execute(
                        "SELECT 1 FROM pg_stat_activity WHERE datname = 'postgres' AND application_name = 'stead'"
                    ).fetchone()
                )
            time.sleep(1)
            pair.kill("one")
            patiently(lambda: "is asked again" in heard.read_text(encoding="utf-8"), 60)
            pair.control("two", "-w", "promote")
            with pair.own_words("two") as asked:
                patiently(
                    lambda: asked.execute("SELECT 1 FROM pg_stat_activity WHERE application_name = 'stead'").fetchone(),
                    60,
                )
            assert watching.poll() is None
        finally:
            watching.terminate()
