"""What a controller gets to run `stead serve`: by whom it may be read and written, what a second call does."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.base import commands
from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.base.work import Work
from ansible_collections.stead.cloud.plugins.module_utils.host.prepare import certificates, serving
from stead.site.program import program, write

NAMES = ["cloud.example.org", "192.0.2.2", "2001:db8::2", "ctl-1"]


@pytest.fixture
def controller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Everything below one directory, and one user for all."""
    home = tmp_path / "home"
    for name, path in {
        "PROGRAMS": tmp_path / "programs",
        "HOME": home,
        "SITE": home / "site",
        "SSH": home / ".ssh",
        "FILES": tmp_path / "files",
        "UNIT": tmp_path / "unit",
    }.items():
        monkeypatch.setattr(serving, name, str(path))
    monkeypatch.setattr(serving, "OWN", (str(home / ".ansible"), str(home / "site/.stead")))
    monkeypatch.setattr(serving, "ROOT", os.getuid())
    monkeypatch.setattr(serving, "_user", lambda _work: None)
    monkeypatch.setattr(serving, "_ids", lambda: {"user": os.getuid(), "group": os.getgid()})
    monkeypatch.setattr(certificates, "API_AUTHORITY", str(tmp_path / "authority"))
    (tmp_path / "programs" / "there").mkdir(parents=True)
    return tmp_path


def wanted(**more: Any) -> dict[str, Any]:
    site = {"stead.yml": "stead: 1\n", "tenants/acme.yml": "{}\n"}
    return {"program": {"digest": "there"}, "names": NAMES, "site": site, "inventory": "{}\n", **more}


def test_the_service_reads_the_site_and_writes_its_store_alone(controller: Path) -> None:
    answer = serving.serve(wanted(), Work(""))
    modes = {
        str(path.relative_to(controller)): oct(path.stat().st_mode & 0o777)
        for path in sorted((controller / "home").rglob("*"))
    }
    assert {name for name, mode in modes.items() if mode == "0o700"} == {"home/.ansible", "home/site/.stead"}
    assert modes["home/.ssh/id_ed25519"] == modes["home/site/tenants/acme.yml"] == "0o640"
    assert oct((controller / "files/server-key.pem").stat().st_mode & 0o777) == "0o600"
    assert answer["public_key"].startswith("ssh-ed25519 ")
    work = Work("")
    assert serving.serve(wanted(), work) == answer
    assert work.done == [], "the second call changes nothing"


def test_what_a_killed_call_left_to_root_is_given_to_the_service(controller: Path) -> None:
    serving.serve(wanted(), Work(""))
    left = [controller / "home" / name for name in (".ssh/id_ed25519", "site/stead.yml")]
    for path in left:
        path.chmod(0o600)
    work = Work("")
    serving.serve(wanted(), work)
    assert work.done == [f"give {path} to stead-serve" for path in left]
    assert {oct(path.stat().st_mode & 0o777) for path in left} == {"0o640"}


def test_what_the_site_has_no_longer_goes_and_the_store_stays(controller: Path) -> None:
    serving.serve(wanted(), Work(""))
    store = controller / "home/site/.stead/state.db"
    store.write_text("everything")
    work = Work("")
    serving.serve(wanted(site={"stead.yml": "stead: 1\n", "../../etc/passwd": "", "a/.b": ""}), work)
    assert work.done == [f"remove {controller}/home/site/tenants/acme.yml"]
    assert store.exists()


def test_a_rehearsal_does_nothing(controller: Path) -> None:
    work = Work("", check=True)
    serving.serve(wanted(program={"digest": "new", **of_this_machine()}), work)
    assert f"install {controller}/programs/new" in work.done
    assert [path.name for path in controller.iterdir()] == ["programs"]


def test_the_certificate_has_all_names_and_is_made_anew_for_another(controller: Path) -> None:
    serving.serve(wanted(), Work(""))
    files = controller / "files"
    words = ["openssl", "verify", "-CAfile", str(files / "ca-cert.pem"), "-x509_strict", str(files / "server-cert.pem")]
    for name in NAMES:
        check = "-verify_ip" if name[0] in "12" else "-verify_hostname"
        subprocess.run([*words[:2], check, name, *words[2:]], check=True, capture_output=True)
    before = (files / "server-cert.pem").read_bytes(), (files / "ca-cert.pem").read_bytes()
    first = serving.serve(wanted(), Work(""))["inputs"]
    second = serving.serve(wanted(names=[*NAMES, "api.example.org"]), Work(""))["inputs"]
    assert first != second, "the unit is started anew"
    assert (files / "server-cert.pem").read_bytes() != before[0]
    assert (files / "ca-cert.pem").read_bytes() == before[1], "who trusts it goes on trusting"
    with pytest.raises(Failed, match="STEAD-E023"):
        serving.serve(wanted(names=["a b"]), Work(""))


def of_this_machine() -> dict[str, str]:
    running = program()
    return {"python": running.python, "machine": running.machine}


@pytest.mark.usefixtures("controller")
def test_another_python_cannot_run_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "run", lambda _words: "3.10\n")
    with pytest.raises(Failed, match=r"STEAD-E024.*Python 3\.10"):
        serving.serve(wanted(program={"digest": "new", "python": "3.11", "machine": os.uname().machine}), Work(""))


def test_the_program_is_asked_for_then_tried_and_installed_whole(
    controller: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_fits", lambda _program: None)  # of a /usr/bin/python3 that may be another
    want = wanted(program={"digest": "new", **of_this_machine()})
    assert serving.serve(want, Work("")) == {"missing": True}
    archive = controller / "archive"
    with archive.open("wb") as file:
        write(program(), f"{controller}/programs/new", file)
    attempt = commands.attempt

    def tried(words: list[str], **more: Any) -> tuple[int, str, str]:
        return (
            (0, "", "") if "compileall" in words or words[0].endswith("new.new/bin/python3") else attempt(words, **more)
        )

    with monkeypatch.context() as trying:
        trying.setattr(commands, "attempt", lambda words, **_more: (words[0] != "rm", "", "no module"))
        with pytest.raises(Failed, match=r"STEAD-E024.*no module"):
            serving.serve(dict(want, archive=str(archive)), Work(""))
    assert not (controller / "programs/new").exists()
    monkeypatch.setattr(commands, "attempt", tried)
    serving.serve(dict(want, archive=str(archive)), Work(""))
    assert sorted(path.name for path in (controller / "programs").iterdir()) == ["new"]
