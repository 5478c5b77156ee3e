"""`stead user` and `stead serve` as a person calls them."""

from __future__ import annotations

import importlib.util
import io
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.serve.served import PASSWORD, write_site

from stead.cli import main


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_site(tmp_path)


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{text}\n"))


def test_the_first_admin_is_made_by_a_command(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(monkeypatch, PASSWORD)
    assert main(["user", "create", "ada", "--admin", "--project", "new one", "-s", str(folder)]) == 0
    assert main(["user", "list", "-s", str(folder)]) == 0
    assert "ada" in capsys.readouterr().out
    assert main(["plan", "-s", str(folder), "-q"]) == 0
    typed(monkeypatch, PASSWORD)
    assert main(["user", "create", "ada", "-s", str(folder)]) == 1
    assert "STEAD-C064" in capsys.readouterr().err
    assert main(["user", "delete", "ada", "-s", str(folder)]) == 0


def test_a_short_password_is_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(monkeypatch, "short")
    assert main(["user", "create", "ada", "-s", str(folder)]) == 1
    assert "STEAD-C063" in capsys.readouterr().err


def test_a_password_that_is_made_is_printed_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["user", "create", "ada", "--admin", "--generate", "-s", str(folder)]) == 0
    made = capsys.readouterr().out.rpartition("password: ")[2].strip()
    assert len(made) == 24
    assert made.encode() not in b"".join(path.read_bytes() for path in (folder / ".stead").iterdir() if path.is_file())


def test_clouds_yaml_is_what_clients_want(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import yaml

    monkeypatch.setenv("STEAD_API_URL", "https://cloud.example.org:8774")
    monkeypatch.setenv("STEAD_API_CACERT", "~/.config/openstack/stead-ca.pem")
    assert main(["user", "clouds-yaml", "ada", "-s", str(folder)]) == 0
    cloud = yaml.safe_load(capsys.readouterr().out)["clouds"]["stead"]
    assert cloud["auth"]["auth_url"] == "https://cloud.example.org:8774/identity/v3"
    assert cloud["cacert"] == "~/.config/openstack/stead-ca.pem"

    assert main(["user", "clouds-yaml", "ada", "--project", "acme", "-s", str(folder)]) == 0
    auth = yaml.safe_load(capsys.readouterr().out)["clouds"]["stead"]["auth"]
    assert auth["auth_url"].endswith("/identity/v3")
    assert auth["project_name"] == "acme"
    assert auth["user_domain_id"] == "default"
    assert main(["user", "clouds-yaml", "lena", "--domain", "corp", "-s", str(folder)]) == 0
    auth = yaml.safe_load(capsys.readouterr().out)["clouds"]["stead"]["auth"]
    assert (auth["user_domain_name"], "user_domain_id" in auth) == ("corp", False)


def test_passwords_do_not_go_over_the_network_in_the_open(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--listen", "0.0.0.0:8774", "-s", str(folder)]) == 1
    assert "STEAD-C062" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["8774", "host:", "host:99999", "host:port"])
def test_what_is_no_address_is_refused(folder: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--listen", text, "-s", str(folder)]) == 1
    assert "STEAD-C061" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--tls-cert", "nowhere.pem"], "STEAD-C086"),
        (["--tls-cert", "stead.yml"], "STEAD-C086"),
        (["--tls-key", "nowhere.pem"], "STEAD-C011"),
    ],
)
def test_a_wrong_certificate_is_refused(
    folder: Path, words: list[str], code: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    assert main(["serve", "--listen", "127.0.0.1:0", *words]) == 1
    assert code in capsys.readouterr().err


def test_a_port_that_somebody_has_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["serve", "--listen", f"127.0.0.1:{taken.getsockname()[1]}", "-s", str(folder)]) == 1
    told = capsys.readouterr().err
    assert "STEAD-C085" in told
    assert "Address already in use. Stop what listens there" in told


def test_without_the_extra_it_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert main(["serve", "-s", str(folder)]) == 1
    told = capsys.readouterr().err
    assert "STEAD-C060" in told
    assert "stead[serve]" in told


def test_planning_imports_nothing_of_the_server(folder: Path) -> None:
    """Its start-up is for everybody."""
    code = (
        "import sys; from stead.cli import main; "
        f"main(['plan', '-q', '-s', {str(folder)!r}]); "
        "print(sorted(one for one in sys.modules if one.split('.')[0] in "
        "('starlette', 'uvicorn', 'anyio', 'argon2', 'jsonschema') or one.startswith('stead.serve')))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_a_service_manager_is_told_when_it_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from stead.serve.http import notify

    notify("READY=1")  # nobody waits
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        notify("READY=1")
        assert manager.recv(100) == b"READY=1"


def test_anywhere_is_ipv4_too() -> None:
    from stead.serve.http import listening

    with listening("::", 0) as link, socket.create_connection(("127.0.0.1", link.getsockname()[1])) as client:
        assert client.getpeername()[0] == "127.0.0.1"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["create", "eve", "--generate", "--domain", "corp"], "--domain is for `stead user totp`"),
        (["create", "eve", "--generate", "--off"], "--off is for"),
        (["totp", "ada", "--project", "demo"], "--project is for"),
        (["totp", "lena", "--domain", "crop"], "There is no domain crop. Known are default."),
        (["totp", "lena"], "There is no user lena."),
    ],
)
def test_what_an_action_has_no_use_for_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    assert main(["user", *words, "-s", str(folder)]) == 1
    assert told in " ".join(capsys.readouterr().err.split())
    assert main(["user", "list", "-s", str(folder)]) == 0
    assert capsys.readouterr().out == "", "nobody was made"
