"""What libvirt says of guests becomes metrics and rates; what it does not say is not made up."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree as Xml  # noqa: ICN001 - as the code that is tested calls it

import pytest
from tests.prometheus import promtool

from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.base.exposition import (
    COUNTER,
    Metric,
    MetricSample,
    gauge,
    written,
)
from ansible_collections.stead.cloud.plugins.module_utils.host.base.libvirt_client import LIBVIRT_DOWN
from ansible_collections.stead.cloud.plugins.module_utils.host.hypervisor.domains import definition, statistics
from ansible_collections.stead.cloud.plugins.module_utils.host.hypervisor.driver import GuestUse
from ansible_collections.stead.cloud.plugins.module_utils.host.observe import measuring, metrics

MEASURING = measuring.__name__
LABEL = '<instance address="acme/instances/web[0]" uuid="u-1" digest="d">{}</instance>'
# As libvirt 9.0 says it of a guest with two processors, of which one was unplugged, and two disks.
STATS: dict[str, Any] = {
    "state.state": 1, "cpu.time": 5_000_000_000, "cpu.user": 1, "cpu.system": 1,
    "balloon.current": 1_048_576, "balloon.maximum": 2_097_152, "balloon.rss": 700_000,
    "balloon.available": 1_000_000, "balloon.usable": 600_000, "balloon.unused": 500_000, "balloon.swap_in": 3,
    "vcpu.current": 1, "vcpu.maximum": 2, "vcpu.0.state": 1, "vcpu.0.delay": 2_000_000_000,
    "net.count": 1, "net.0.name": "st0", "net.0.rx.bytes": 10, "net.0.rx.pkts": 1, "net.0.rx.errs": 0,
    "net.0.rx.drop": 7, "net.0.tx.bytes": 2000, "net.0.tx.pkts": 20, "net.0.tx.errs": 0, "net.0.tx.drop": 0,
    "block.count": 2, "block.0.name": "vda", "block.0.rd.reqs": 4, "block.0.rd.bytes": 4096,
    "block.0.rd.times": 1_000_000_000, "block.0.wr.reqs": 2, "block.0.wr.bytes": 1024, "block.0.wr.times": 0,
    "block.0.fl.reqs": 1, "block.0.fl.times": 2_000_000_000, "block.0.capacity": 1 << 30, "block.0.allocation": 9,
    "block.1.name": "vdb",
}  # fmt: skip


def used(stats: dict[str, Any] | None = None, told: object = None) -> GuestUse:
    text = json.dumps({"record": {"after": ["acme/networks/app", "flavors/small"]}} if told is None else told)
    label = Xml.fromstring(LABEL.format(text))  # noqa: S314 - our own
    return statistics.use(label, STATS if stats is None else stats)


def test_counters_of_libvirt_are_told_in_seconds_and_bytes() -> None:
    found = used()
    assert (found.address, found.project, found.flavor, found.vcpus) == ("acme/instances/web[0]", "acme", "small", 1)
    assert (found.cpu, found.steal) == (5, 2)
    assert found.memory["current"] == 1 << 30
    assert [one.name for one in found.disks] == ["vda", "vdb"]
    assert (found.disks[0].read_seconds, found.disks[0].flush_seconds) == (1, 2)
    (link,) = found.links
    assert (link.received_bytes, link.sent_bytes, link.send_drops) == (2000, 10, 7), (
        "the guest receives what is sent to it"
    )


@pytest.mark.parametrize(
    "told", ["", [], {"record": None}, {"record": {"after": "flavors/x"}}, {"record": {"after": [1]}}]
)
def test_a_label_that_says_less_is_no_failure(told: object) -> None:
    assert used({}, told).flavor == "custom"


def test_a_flavor_of_a_project_is_told_with_it() -> None:
    assert definition.flavor_of(["acme/flavors/small"]) == "acme/small"


def test_what_is_written_is_what_prometheus_takes() -> None:
    guests = [used(), used({})._replace(address='x/instances/a"\\\n', uuid="u-2")]
    text = written(measuring.metrics(guests, 0.01))
    checked = subprocess.run([promtool(), "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
    line = (
        'stead_guest_disk_read_bytes_total{address="acme/instances/web[0]",disk="vda",project="acme",uuid="u-1"} 4096'
    )
    assert line in text.splitlines()
    assert 'address="x/instances/a\\"\\\\\\n"' in text


def test_both_forms_differ_where_they_must() -> None:
    told = [Metric("a_total", COUNTER, 'say "x"\n', [MetricSample({}, 2.5)]), gauge("b", "", ("l",), {("v",): 1e20})]
    assert written(told).splitlines() == [
        '# HELP a_total say "x"\\n', "# TYPE a_total counter", "a_total 2.5", "# HELP b ", "# TYPE b gauge",
        'b{l="v"} 1e+20',
    ]  # fmt: skip
    modern = written(told, openmetrics=True).splitlines()
    assert modern[:3] == ['# HELP a say \\"x\\"\\n', "# TYPE a counter", "a_total 2.5"]
    assert modern[-1] == "# EOF"


def test_rates_are_of_what_was_there_both_times(monkeypatch: pytest.MonkeyPatch) -> None:
    later = {
        **STATS,
        "cpu.time": 8_000_000_000,
        "block.0.wr.bytes": 1024 + 4096,
        "block.0.fl.times": 3_000_000_000,
        "block.2.name": "vdc",
        "block.count": 3,
    }
    readings = [
        [used(), used()._replace(uuid="went"), used({**STATS, "cpu.time": 10**12})._replace(uuid="started anew")],
        [used(later), used()._replace(uuid="came"), used()._replace(uuid="started anew")],
    ]
    clock = iter([100.0, 102.0])
    monkeypatch.setattr(measuring, "uses", lambda: readings.pop(0))
    monkeypatch.setattr(measuring, "time", SimpleNamespace(monotonic=lambda: next(clock), sleep=lambda _seconds: None))
    (found,) = measuring.rates(2)
    assert (found["uuid"], found["cpu"], found["disk"]["written_bytes"], found["wait"]) == ("u-1", 1.5, 2048, 0.5)
    assert found["memory"] == {"size": 1 << 30, "used": 400_000 * 1024}


def test_without_a_word_of_the_guest_its_memory_is_what_it_takes_of_the_host() -> None:
    assert measuring.memory({"current": 100, "rss": 70}) == {"size": 100, "used": 70}
    assert measuring.memory({"current": 100, "rss": 170, "available": 0, "usable": 0}) == {"size": 100, "used": 100}


def test_old_numbers_do_not_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "stead.prom"
    monkeypatch.setattr(measuring, "uses", lambda: [used()])
    assert metrics.main(["write", str(path)]) == 0
    assert path.stat().st_mode & 0o777 == 0o644
    assert "stead_guest_info" in path.read_text()

    def broken() -> list[GuestUse]:
        raise RuntimeError("libvirt")

    monkeypatch.setattr(measuring, "uses", broken)
    with pytest.raises(RuntimeError):
        metrics.main(["write", str(path)])
    assert not path.exists()


@pytest.mark.parametrize("words", [[], ["write"], ["rates", "x"], ["other", "1"], ["rates", "1", "2"]])
def test_the_program_says_how_it_is_called(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert metrics.main(words) == 2
    assert "usage" in capsys.readouterr().err


@pytest.mark.parametrize("entries", [[], [{"uuid": "u-1"}]])
def test_where_there_should_be_guests_a_hypervisor_that_is_off_is_no_empty_answer(
    monkeypatch: pytest.MonkeyPatch, entries: list[dict[str, str]]
) -> None:
    class Off:
        def uses(self) -> list[GuestUse]:
            raise Failed(LIBVIRT_DOWN, "it is off")

    monkeypatch.setattr(f"{MEASURING}.drivers.here", lambda _sessions: iter(()))
    monkeypatch.setattr(f"{MEASURING}.drivers.DRIVERS", (SimpleNamespace(open=lambda _sessions: Off()),))
    monkeypatch.setattr(f"{MEASURING}.ledger.everything", lambda _kind: entries)
    if not entries:
        assert measuring.uses() == []
        return
    with pytest.raises(Failed, match="it is off"):
        measuring.uses()
