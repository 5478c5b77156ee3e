"""HAProxy's configuration: it takes nothing but words, has no key in it, and is written once HAProxy has read it."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.base import commands, units
from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.base.work import Work
from ansible_collections.stead.cloud.plugins.module_utils.host.net import haproxy, runtime_socket

UUID = "11111111-1111-8111-8111-111111111111"
LISTENER: dict[str, Any] = {
    "balance": "round_robin",
    "certificate": {"$secret": "ab12"},
    "check": {
        "expect": "200-399",
        "fall": 3,
        "host": "www.example.org",
        "interval": 2000,
        "method": "GET",
        "path": "/healthz",
        "port": 0,
        "rise": 2,
        "timeout": 2000,
    },
    "max_connections": 100,
    "members": {"web-0:80": {"address": "10.20.0.11", "port": 80, "weight": 1}},
    "port": 443,
    "protocol": "https",
    "proxy_protocol": False,
    "sticky": {"by": "cookie", "cookie": "WHO", "lasts": 60},
    "timeouts": {"client": 50, "connect": 5, "server": 50},
}
WANT: dict[str, Any] = {
    "uuid": UUID,
    "gateways": [],
    "interfaces": {"inside": {"addresses": ["10.20.0.80/24"]}},
    "listeners": {"web": LISTENER},
}
KEY = "-----BEGIN PRIVATE KEY-----"
HOSTILE = "80\n  server evil 192.0.2.1:80"


def changed(path: str, value: object) -> dict[str, Any]:
    found = copy.deepcopy(WANT)
    *above, last = path.split("/")
    place: Any = found
    for word in above:
        place = place[int(word)] if isinstance(place, list) else place[word]
    if isinstance(place, list):
        place[int(last)] = value
    else:
        place[last] = value
    return found


@pytest.mark.parametrize(
    "path",
    [
        "uuid",
        "interfaces/inside/addresses/0",
        "listeners/web/certificate/$secret",
        "listeners/web/check/expect",
        "listeners/web/check/host",
        "listeners/web/check/method",
        "listeners/web/check/path",
        "listeners/web/members/web-0:80/address",
        "listeners/web/sticky/cookie",
    ],
)
@pytest.mark.parametrize("value", [HOSTILE, "a b", "a#b", '"', "'", "$HOME", "\\", "ä"])
def test_what_is_more_than_a_word_is_refused(path: str, value: str) -> None:
    with pytest.raises(Failed) as failure:
        haproxy.configuration(changed(path, value), "/folder")
    assert failure.value.code is not None
    assert failure.value.code.id == "STEAD-E230"


@pytest.mark.parametrize(
    "path",
    [
        "balance",
        "check/fall",
        "check/interval",
        "check/port",
        "check/rise",
        "check/timeout",
        "max_connections",
        "members/web-0:80/port",
        "members/web-0:80/weight",
        "port",
        "sticky/lasts",
        "timeouts/client",
    ],
)
def test_what_is_no_number_and_no_known_word_is_not_written(path: str) -> None:
    want = changed(f"listeners/web/{path}", HOSTILE)
    if path == "sticky/lasts":
        want["listeners"]["web"]["sticky"]["by"] = "source"
    with pytest.raises((ValueError, KeyError, TypeError)):
        haproxy.configuration(want, "/folder")


def test_names_of_listeners_and_members_are_words() -> None:
    for path in ("listeners/web", "listeners/web/members/web-0:80"):
        want = copy.deepcopy(WANT)
        *above, last = path.split("/")
        place: Any = want
        for word in above:
            place = place[word]
        place[HOSTILE] = place.pop(last)
        with pytest.raises(Failed):
            haproxy.configuration(want, "/folder")


def test_it_says_what_the_want_says() -> None:
    lines = haproxy.configuration(WANT, "/folder").splitlines()
    assert "bind 10.20.0.80:443 transparent ssl crt /folder/ab12.pem alpn h2,http/1.1" in lines
    assert "server web-0:80 10.20.0.11:80 weight 1 cookie web-0:80" in lines
    assert "http-check send meth GET uri /healthz ver HTTP/1.1 hdr Host www.example.org" in lines
    assert "cookie WHO insert indirect nocache httponly secure" in lines
    assert "timeout client 50s" in lines


def test_two_load_balancers_are_two_users_that_no_system_gives_out() -> None:
    other = changed("uuid", "22222222-1111-8111-8111-111111111111")
    users = {
        next(int(line.split()[1]) for line in haproxy.configuration(want, "/f").splitlines() if line.startswith("uid "))
        for want in (WANT, other)
    }
    assert len(users) == 2
    assert all(0x70000000 <= user < 0x80000000 for user in users)


def test_who_keeps_connections_open_does_not_keep_a_configuration_from_being_taken_up() -> None:
    lines = haproxy.configuration(WANT, "/folder").splitlines()
    kept = next(int(line.split()[1]) for line in lines if line.startswith("mworker-max-reloads "))
    threads = next(int(line.split()[1]) for line in lines if line.startswith("nbthread "))
    settings = haproxy._settings(WANT, "ns")
    assert 1 + threads * (kept + 2) <= int(settings["TasksMax"])
    assert kept * (4 << 20) < haproxy.OF_ITSELF, "a worker without connections takes some 4 MiB"


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """HAProxy refuses what is in the file `bad`, and goes on with what it has read where there is a file `deaf`."""
    read = {"it": ""}
    monkeypatch.setattr(haproxy, "LOAD_BALANCERS", str(tmp_path))
    monkeypatch.setattr(haproxy, "EMPTY", str(tmp_path / "empty"))
    monkeypatch.setattr(units, "runs", lambda *_: True)
    monkeypatch.setattr(runtime_socket, "asked", lambda *_: f"Pid: 7\ndescription: {read['it']}\n")

    def run(argv: list[str], **_more: Any) -> str:
        if "--signal=USR2" in argv and not (tmp_path / "deaf").exists():
            read["it"] = haproxy.mark_of((tmp_path / UUID / "haproxy.cfg").read_text())
        return ""

    monkeypatch.setattr(commands, "run", run)

    def attempt(argv: list[str]) -> tuple[int, str, str]:
        assert "-c" in argv, argv
        return (1, "", f"{argv[-1]}: no such thing") if (tmp_path / "bad").exists() else (0, "", "")

    monkeypatch.setattr(commands, "attempt", attempt)
    return tmp_path / UUID


def test_a_key_is_in_a_file_that_only_root_reads_and_nowhere_else(host: Path) -> None:
    work = Work("network-1", secrets={"ab12": KEY})
    haproxy.ensure(WANT, "ns", False, work)
    assert (host / "ab12.pem").read_text() == KEY
    assert (host / "ab12.pem").stat().st_mode & 0o777 == 0o600
    assert KEY not in (host / "haproxy.cfg").read_text()
    assert KEY not in "".join(work.done)


def test_what_haproxy_refuses_is_not_written_and_what_was_there_stays(host: Path) -> None:
    haproxy.ensure(WANT, "ns", False, Work("network-1", secrets={"ab12": KEY}))
    before = (host / "haproxy.cfg").read_text()
    (host.parent / "bad").touch()
    with pytest.raises(Failed) as failure:
        haproxy.ensure(
            changed("listeners/web/certificate", {"$secret": "cd34"}), "ns", False, Work("n", secrets={"cd34": "junk"})
        )
    assert failure.value.code is not None
    assert failure.value.code.id == "STEAD-E231"
    assert (host / "haproxy.cfg").read_text() == before
    assert (host / "ab12.pem").read_text() == KEY
    assert not (host / "haproxy.next").exists()


def test_a_second_run_does_nothing_and_a_certificate_of_nobody_goes(host: Path) -> None:
    haproxy.ensure(WANT, "ns", False, Work("network-1", secrets={"ab12": KEY}))
    again = Work("network-1")
    haproxy.ensure(WANT, "ns", False, again)
    assert again.done == []
    haproxy.ensure(
        changed("listeners/web/certificate", {"$secret": "cd34"}), "ns", False, Work("n", secrets={"cd34": "new"})
    )
    assert sorted(path.name for path in host.glob("*.pem")) == ["cd34.pem"]


def test_a_lost_certificate_is_seen_without_the_secret_and_not_made_without_it(host: Path) -> None:
    haproxy.ensure(WANT, "ns", False, Work("network-1", secrets={"ab12": KEY}))
    (host / "ab12.pem").unlink()
    look = Work("network-1", check=True)
    haproxy.ensure(WANT, "ns", False, look)
    assert any("ab12.pem" in line for line in look.done)
    with pytest.raises(Failed) as failure:
        haproxy.ensure(WANT, "ns", False, Work("network-1"))
    assert failure.value.code is not None
    assert failure.value.code.id == "STEAD-E232"


def test_a_worker_that_never_begins_fails_the_step(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    haproxy.ensure(WANT, "ns", False, Work("network-1", secrets={"ab12": KEY}))
    (host.parent / "deaf").touch()
    monkeypatch.setattr(haproxy, "PATIENCE", 0)
    other = changed("listeners/web/port", 444)
    with pytest.raises(Failed) as failure:
        haproxy.ensure(other, "ns", False, Work("network-1"))
    assert failure.value.code is not None
    assert failure.value.code.id == "STEAD-E233"
    (host.parent / "deaf").unlink()
    look, again = Work("network-1", check=True), Work("network-1")
    haproxy.ensure(other, "ns", False, look)
    haproxy.ensure(other, "ns", False, again)
    assert "take up the configuration" in look.done, "what is written and not taken up is a difference"
    assert "take up the configuration" in again.done
    haproxy.ensure(other, "ns", False, last := Work("network-1"))
    assert last.done == []
