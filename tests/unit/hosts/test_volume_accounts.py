"""Secrets of served volumes: where they are born, who is handed them, and who sees them. tgtd is a socket here."""

from __future__ import annotations

import ctypes
import json
import socket
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from ansible.plugins.action import ActionBase

from ansible_collections.stead.cloud.plugins.action import volume_account as asking
from ansible_collections.stead.cloud.plugins.module_utils.host.base import commands as running
from ansible_collections.stead.cloud.plugins.module_utils.host.base import ledger, libvirt_client
from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.base.readings import Readings
from ansible_collections.stead.cloud.plugins.module_utils.host.base.sessions import Sessions
from ansible_collections.stead.cloud.plugins.module_utils.host.base.work import Work
from ansible_collections.stead.cloud.plugins.module_utils.host.hypervisor.domains import disk_source
from ansible_collections.stead.cloud.plugins.module_utils.host.kinds import volume
from ansible_collections.stead.cloud.plugins.module_utils.host.storage import (
    accounts,
    clients,
    drivers,
    iscsi_sessions,
    iscsi_targets,
    libvirt_secrets,
    tgtd,
)

UUID = "11111111-0000-4000-8000-000000000001"
USER = "stead-" + UUID
MIB = 1 << 20


class Request(ctypes.Structure):
    """struct tgtadm_req of usr/tgtadm.h, by a C compiler's rules."""

    _fields_ = (
        ("mode", ctypes.c_int), ("op", ctypes.c_int), ("lld", ctypes.c_char * 64), ("len", ctypes.c_uint32),
        ("tid", ctypes.c_int32), ("sid", ctypes.c_uint64), ("lun", ctypes.c_uint64), ("cid", ctypes.c_uint32),
        ("host_no", ctypes.c_uint32), ("device_type", ctypes.c_uint32), ("ac_dir", ctypes.c_uint32),
        ("pack", ctypes.c_uint32), ("force", ctypes.c_uint32),
    )  # fmt: skip


class Server:
    """What of tgtd a target's account takes, by its socket and by tgtadm."""

    def __init__(self, path: Path) -> None:
        self.accounts: dict[str, str] = {}
        self.bound: dict[int, str] = {}
        self.targets: dict[int, str] = {}
        self.lets_in: dict[int, list[str]] = {}
        self.open_by = ""
        self.calls: list[str] = []
        self.answers = 0  # an error for everything
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(str(path))
        self._socket.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                channel, _address = self._socket.accept()
            except OSError:
                return
            with channel:
                head = Request.from_buffer_copy(channel.recv(ctypes.sizeof(Request), socket.MSG_WAITALL))
                body = channel.recv(head.len - ctypes.sizeof(Request), socket.MSG_WAITALL)
                assert (head.mode, head.lld, head.ac_dir, body[-1:]) == (7, b"iscsi", 0, b"\0")
                status = self.answers or self._account(head.op, head.tid, body[:-1].decode())
                channel.sendall(bytes(ctypes.c_uint32(status)) + bytes(ctypes.c_uint32(8)))

    def _account(self, operation: int, target: int, text: str) -> int:
        told = dict(one.split("=", 1) for one in text.split(","))
        user = told["user"]
        if operation == 0:
            self.accounts[user] = told["password"]
        elif operation == 1:
            known = self.accounts.pop(user, None)
            self.bound = {tid: one for tid, one in self.bound.items() if one != user}
            return 0 if known else 15
        else:
            assert not self.lets_in.get(target), "nobody was let in before it took a secret"
            self.bound[target] = user
        return 0

    def run(self, argv: list[Any], feed: str | None = None, timeout: float = 0) -> str:
        del feed, timeout
        words = [str(one) for one in argv]
        self.calls.append(" ".join(words))
        told = dict(pairwise(words))
        if told.get("--op") == "show":
            connections = f"IP Address: {self.open_by}\n" if self.open_by else ""
            return connections if told["--mode"] == "conn" else self._shown()
        if told.get("--mode") == "target" and told["--op"] == "new":
            self.targets[int(told["--tid"])] = told["--targetname"]
        if told.get("--op") == "bind":
            self.lets_in.setdefault(int(told["--tid"]), []).append(told["--initiator-address"])
        if told.get("--mode") == "target" and told["--op"] == "delete":
            del self.targets[int(told["--tid"])]
        return ""

    def attempt(self, argv: list[Any], feed: str | None = None, timeout: float = 0) -> tuple[int, str, str]:
        return 0, self.run(argv, feed, timeout), ""

    def _shown(self) -> str:
        found = ""
        for number, name in self.targets.items():
            user = f"        {self.bound[number]}\n" if number in self.bound else ""
            allowed = "".join(f"        {one}\n" for one in self.lets_in.get(number, ()))
            found += f"Target {number}: {name}\n    LUN information:\n        LUN: 1\n            Size: 8 MB, Block"
            found += f" size: 512\n            Backing store path: /p/{UUID}.raw\n    Account information:\n{user}"
            found += f"    ACL information:\n{allowed}"
        return found


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    told = tmp_path / "storage.json"
    told.write_text('{"clients": ["10.201.0.11"]}')
    monkeypatch.setattr(iscsi_targets, "TOLD", str(told))
    monkeypatch.setattr(tgtd, "SOCKET", str(tmp_path / "socket"))
    monkeypatch.setattr(accounts, "SERVED", str(tmp_path / "served"))
    monkeypatch.setattr(accounts, "USED", str(tmp_path / "used"))
    monkeypatch.setattr(ledger, "LEDGER", str(tmp_path / "ledger"))
    found = Server(tmp_path / "socket")
    monkeypatch.setattr(running, "run", found.run)
    monkeypatch.setattr(running, "attempt", found.attempt)
    yield found
    found.close()


def pool(folder: Path) -> dict[str, str]:
    return {"name": "san", "type": "iscsi", "path": str(folder), "host": "nas", "server": "192.0.2.9"}


def offer(work: Work | None = None) -> None:
    iscsi_targets.ensure(UUID, f"/p/{UUID}.raw", 8 * 10**6, work or Work("nas"))


# -- where it is served


def test_a_volume_has_a_secret_before_it_is_there(server: Server, tmp_path: Path, monkeypatch: Any) -> None:
    """However the run ends: who finds the volume finds that it takes a secret."""
    monkeypatch.setattr(volume, "_make", lambda *_arguments: (_ for _ in ()).throw(KeyboardInterrupt))
    want = {"uuid": UUID, "pool": pool(tmp_path / "blocks"), "format": "raw", "size": 8 * MIB}
    with pytest.raises(KeyboardInterrupt):
        volume.ensure({"want": want}, Work("nas"))
    (secret,) = (tmp_path / "served").iterdir()
    assert (secret.name, secret.stat().st_mode & 0o777, len(secret.read_text())) == (UUID, 0o600, 32)
    assert secret.parent.stat().st_mode & 0o777 == 0o700
    assert server.targets == {}


def test_a_target_takes_its_secret_before_it_lets_in_anybody(server: Server) -> None:
    """`_account` fails otherwise. No program is ever told of the secret, and no word of the step has it."""
    work = Work("nas")
    accounts.make(UUID, work)
    offer(work)
    secret = accounts.served(UUID)
    assert (server.bound, server.accounts, server.lets_in) == ({1: USER}, {USER: secret}, {1: ["10.201.0.11"]})
    assert secret not in " ".join([*server.calls, *work.done])


def test_an_offered_target_is_left_alone(server: Server) -> None:
    accounts.make(UUID, Work("nas"))
    offer()
    again = Work("nas")
    offer(again)
    assert again.done == []
    assert server.bound == {1: USER}


def test_an_account_that_a_killed_run_left_gets_the_secret_of_the_file(server: Server) -> None:
    server.accounts[USER] = "of-before"
    accounts.make(UUID, Work("nas"))
    offer()
    assert server.accounts == {USER: accounts.served(UUID)}


def test_a_target_without_its_account_is_drift(server: Server, tmp_path: Path) -> None:
    serving = drivers.serving(pool(tmp_path))
    assert serving is not None
    accounts.make(UUID, Work("nas"))
    offer()
    assert serving.offers(pool(tmp_path), UUID, Readings(Sessions()))
    server.bound.clear()
    assert not serving.offers(pool(tmp_path), UUID, Readings(Sessions()))


def test_a_tgtd_that_does_not_take_an_account_lets_nobody_in(server: Server) -> None:
    accounts.make(UUID, Work("nas"))
    server.answers = 17
    with pytest.raises(Failed, match=r"STEAD-E134.*error 17"):
        offer()
    assert server.lets_in == {}


def test_a_tgtd_that_understands_something_else_lets_nobody_in(server: Server, monkeypatch: Any) -> None:
    accounts.make(UUID, Work("nas"))
    monkeypatch.setattr(server, "_account", lambda *_arguments: 0)
    with pytest.raises(Failed, match=r"STEAD-E135.*does not have it"):
        offer()
    assert server.lets_in == {}


def test_a_tgtd_that_is_away_is_told_of(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(tgtd, "SOCKET", str(tmp_path / "none"))
    with pytest.raises(Failed, match=r"STEAD-E134.*No such file"):
        tgtd.add("a", "b")


def test_of_a_volume_that_is_gone_no_secret_is_left(server: Server, tmp_path: Path) -> None:
    accounts.make(UUID, Work("nas"))
    offer()
    iscsi_targets.remove(UUID, Work("nas"))
    assert (server.targets, server.accounts, list((tmp_path / "served").iterdir())) == ({}, {}, [])
    again = Work("nas")
    iscsi_targets.remove(UUID, again)
    assert again.done == []


# -- volumes that are older than secrets are


def test_an_older_volume_stays_as_it_is(server: Server) -> None:
    work = Work("nas")
    offer(work)
    again = Work("nas")
    offer(again)
    assert (server.bound, server.accounts, again.done) == ({}, {}, [])


@pytest.mark.parametrize(("alone", "open_by"), [(False, ""), (True, "10.201.0.11")])
def test_an_older_volume_that_somebody_may_have_open_gets_no_secret(server: Server, alone: bool, open_by: str) -> None:
    """Who has it open without one could not come back after the network was away for a moment."""
    offer()
    server.open_by = open_by
    assert iscsi_targets.hand(UUID, alone, Work("nas")) == ""
    assert server.bound == {}


def test_an_older_volume_that_is_attached_anew_gets_a_secret(server: Server) -> None:
    server.targets[1] = iscsi_targets.name_of(UUID)
    secret = iscsi_targets.hand(UUID, True, Work("nas"))
    assert (len(secret), server.accounts) == (32, {USER: secret})
    server.open_by = "10.201.0.11"
    assert iscsi_targets.hand(UUID, False, Work("nas")) == secret


def test_a_volume_whose_secret_was_lost_gets_another_with_its_next_attachment(server: Server, tmp_path: Path) -> None:
    """tgtd still has the account, with a secret that nobody knows any more."""
    accounts.make(UUID, Work("nas"))
    offer()
    (tmp_path / "served" / UUID).unlink()
    server.lets_in.clear()
    secret = iscsi_targets.hand(UUID, True, Work("nas"))
    assert (server.accounts, server.bound) == ({USER: secret}, {1: USER})


def test_the_doctor_is_told_of_volumes_without_a_secret(server: Server, tmp_path: Path) -> None:
    want = {"uuid": UUID, "name": "acme/volumes/a", "pool": pool(tmp_path)}
    own = {"uuid": "b", "name": "acme/volumes/b", "pool": {"name": "p", "type": "iscsi"}}
    nfs = {"uuid": "c", "name": "acme/volumes/c", "pool": {**pool(tmp_path), "type": "nfs"}}
    assert drivers.without_secret([want, own, nfs]) == ["acme/volumes/a"]
    accounts.make(UUID, Work("nas"))
    assert drivers.without_secret([want, own, nfs]) == []
    assert server.calls == []


# -- where it is used


class Libvirt:
    def __init__(self) -> None:
        self.secrets: dict[str, bytes] = {}

    def is_set(self, uuid: str, _work: Work) -> bool:
        return uuid in self.secrets

    def put(self, uuid: str, _usage: object, secret: bytes, _work: Work) -> None:
        self.secrets[uuid] = secret

    def forget(self, uuid: str, _work: Work) -> None:
        self.secrets.pop(uuid, None)


@pytest.fixture
def libvirt(monkeypatch: pytest.MonkeyPatch) -> Libvirt:
    found = Libvirt()
    monkeypatch.setattr(clients, "by_qemu", lambda _protocol: True)
    monkeypatch.setattr(libvirt_client, "is_here", lambda: True)
    for name in ("is_set", "put", "forget"):
        monkeypatch.setattr(libvirt_secrets, name, getattr(found, name))
    return found


@pytest.mark.usefixtures("server")
def test_a_host_keeps_what_it_was_handed_and_its_guests_are_given_it(libvirt: Libvirt, tmp_path: Path) -> None:
    volumes = [{"uuid": UUID, "pool": pool(tmp_path)}]
    drivers.reach(volumes, Work("compute-1", handed={UUID: "s3cret"}))
    assert libvirt.secrets == {UUID: b"s3cret"}
    assert (tmp_path / "used" / UUID).stat().st_mode & 0o777 == 0o600
    drivers.reach(volumes, after_a_boot := Work("compute-1"))
    assert after_a_boot.done == []
    libvirt.secrets.clear()
    drivers.reach(volumes, Work("compute-1"))
    assert libvirt.secrets == {UUID: b"s3cret"}, "from its own file, without anybody's help"
    drivers.leave(volumes, Work("compute-1"))
    assert (libvirt.secrets, list((tmp_path / "used").iterdir())) == ({}, [])


@pytest.mark.usefixtures("server")
def test_a_run_that_is_killed_before_libvirt_has_the_secret_begins_anew(
    libvirt: Libvirt, tmp_path: Path, monkeypatch: Any
) -> None:
    volumes = [{"uuid": UUID, "pool": pool(tmp_path)}]
    with monkeypatch.context() as killed:
        killed.setattr(libvirt_secrets, "put", lambda *_arguments: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            drivers.reach(volumes, Work("compute-1", handed={UUID: "s3cret"}))
    libvirt.secrets[UUID] = b"half made"
    drivers.reach(volumes, Work("compute-1", handed={UUID: "s3cret"}))
    assert libvirt.secrets == {UUID: b"s3cret"}


@pytest.mark.usefixtures("server", "libvirt")
def test_neither_a_domain_nor_a_command_has_the_secret(tmp_path: Path) -> None:
    drivers.reach([{"uuid": UUID, "pool": pool(tmp_path)}], Work("compute-1", handed={UUID: "s3cret"}))
    source = drivers.source(pool(tmp_path), UUID, "raw")
    made = disk_source.disk(source)
    login = made.find("source/auth/secret")
    assert login is not None
    assert login.attrib == {"type": "iscsi", "uuid": UUID}
    assert json.loads(source.path.removeprefix("json:"))["file"]["password-secret"] == "account"
    assert source.objects[-1] == f"secret,id=account,file={tmp_path}/used/{UUID}"


@pytest.mark.usefixtures("server", "libvirt")
def test_a_host_that_serves_its_own_guests_needs_nobody_to_hand_it_anything(tmp_path: Path) -> None:
    accounts.make(UUID, Work("nas"))
    drivers.reach([{"uuid": UUID, "pool": pool(tmp_path)}], Work("nas"))
    assert accounts.used(UUID) == accounts.served(UUID)


def test_the_kernels_client_reads_the_secret_from_its_own_file(
    server: Server, tmp_path: Path, monkeypatch: Any
) -> None:
    target = iscsi_targets.name_of(UUID)
    record = tmp_path / "nodes" / target / "192.0.2.9,3260,1" / "default"
    record.parent.mkdir(parents=True)
    record.write_text("# BEGIN RECORD\nnode.name = x\nnode.session.auth.password = old\n# END RECORD\n")
    monkeypatch.setattr(iscsi_sessions, "RECORDS", (str(tmp_path / "nodes"),))
    monkeypatch.setattr(clients, "by_qemu", lambda _protocol: False)
    work = Work("compute-1", handed={UUID: "s3cret"})
    drivers.reach([{"uuid": UUID, "pool": pool(tmp_path)}], work)
    assert record.read_text() == "# BEGIN RECORD\nnode.name = x\nnode.session.auth.password = s3cret\n# END RECORD\n"
    assert "s3cret" not in " ".join([*server.calls, *work.done])


# -- on the way, at the controller


def instance(uuid: str, host: str = "nas", **more: Any) -> dict[str, Any]:
    attached = {"uuid": uuid, "pool": {"name": "san", "host": host, "server": "192.0.2.9"}, **more}
    return {"uuid": "i", "state": "running", "root": {"size": 1}, "volumes": {f"acme/volumes/{uuid}": attached}}


def step(want: Any, have: Any = None, kind: str = "instances") -> dict[str, Any]:
    return {"kind": kind, "want": want, "have": have}


BOOTED = {"uuid": "i", "root": {"volume": instance("d")["volumes"]["acme/volumes/d"]}}
COPY = {"uuid": "n", "pool": {"name": "p"}, "origin": {"volume": {**instance("e")["volumes"]["acme/volumes/e"]}}}
SERVED = {"uuid": "f", "pool": {"name": "san", "host": "nas", "server": "192.0.2.9"}, "size": 1}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (step(instance("a")), {"a": True}),
        (step(instance("a"), instance("a")), {"a": False}),
        (step(instance("a"), {**instance("a"), "state": "stopped"}), {"a": True}),
        (step(instance("a", shareable=True)), {"a": False}),
        ({**step(instance("a")), "action": "receive", "came_from": "compute-2"}, {"a": False}),
        (step(instance("a", host="other")), {}),
        (step(BOOTED), {"d": True}),
        (step(COPY, kind="volumes"), {"e": False}),
        (step(SERVED, kind="volumes"), {}),  # its own, which it keeps
        (step(None, instance("a")), {}),
    ],
)
def test_a_host_is_asked_of_what_steps_use_of_it(given: Any, expected: dict[str, bool], tmp_path: Path) -> None:
    (tmp_path / "compute-1.json").write_text(json.dumps({"steps": [given]}))
    assert asking.taken_from("nas", str(tmp_path)) == ({"compute-1": expected} if expected else {})


def ask(folder: Path, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """What the task says, and what the module was asked."""
    asked: list[Any] = []
    action = object.__new__(asking.ActionModule)
    action._task = type("Task", (), {"args": {"src": str(folder)}})()
    monkeypatch.setattr(ActionBase, "run", lambda *_arguments: {})

    def execute(module_args: Any, task_vars: Any) -> dict[str, Any]:
        del task_vars
        asked.append(module_args)
        return dict(answer)

    monkeypatch.setattr(action, "_execute_module", execute, raising=False)
    return action.run(None, {"inventory_hostname": "nas"}), asked


def test_each_host_is_handed_its_own_and_no_result_has_a_secret(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "compute-1.json").write_text(json.dumps({"steps": [step(instance("a"))]}))
    (tmp_path / "compute-2.json").write_text(json.dumps({"steps": [step(instance("b"), instance("b"))]}))
    answer = {"changed": True, "accounts": {"a": "secret-a", "b": "secret-b"}}
    result, asked = ask(tmp_path, monkeypatch, answer)
    assert (result, asked) == ({"changed": True}, [{"volumes": {"a": True, "b": False}}])
    files = sorted(tmp_path.glob("*.handed-*"))
    assert [(path.name, path.stat().st_mode & 0o777) for path in files] == [
        ("compute-1.handed-nas", 0o600),
        ("compute-2.handed-nas", 0o600),
    ]
    assert asking.handed("compute-1", [step(instance("a"))], str(tmp_path)) == {"a": "secret-a"}
    assert [path.name for path in tmp_path.glob("*.handed-*")] == ["compute-2.handed-nas"]


def test_a_host_that_nobody_attaches_from_is_not_connected_to(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "compute-1.json").write_text(json.dumps({"steps": [step(instance("a", host="other"))]}))
    assert ask(tmp_path, monkeypatch, {}) == ({"changed": False}, [])
