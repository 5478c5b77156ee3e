"""Keys of buckets: made from the store's secret and the project's identity, for who may read the spec."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from stead.cli import main
from stead.drivers.object import key_of

EXAMPLE = Path(__file__).parents[3] / "examples/object-store"
SECRET = "only-an-example-make-your-own-and-vault-it"  # noqa: S105 - of the example


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(EXAMPLE, tmp_path, dirs_exist_ok=True)
    monkeypatch.delenv("STEAD_STORE", raising=False)
    monkeypatch.chdir(tmp_path)
    assert main(["apply", "--auto-approve", "-q"]) == 0
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], address: str) -> dict[str, str]:
    capsys.readouterr()
    assert main(["credentials", address, "--json"]) == 0
    found: dict[str, str] = json.loads(capsys.readouterr().out)
    return found


def test_a_project_has_one_key_and_every_project_another(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, "acme/buckets/www")
    assert found == told(capsys, "acme/buckets/backups")
    assert (found["endpoint"], found["access_key"]) == ("https://192.0.2.31:8080", "acme:owner")
    capsys.readouterr()
    assert main(["output", "website"]) == 0
    account = capsys.readouterr().out.partition("AUTH_")[2].partition("/")[0]
    assert found["secret_key"] == key_of(SECRET, account).reveal()
    spec = site / "stead.yml"
    spec.write_text(
        spec.read_text(encoding="utf-8") + "  hidden: {value: '{{ projects.acme.buckets.www.secret_key }}'}\n"
    )
    assert main(["apply", "--auto-approve"]) == 0
    assert main(["plan", "--json"]) == 0
    assert main(["output"]) == 0
    assert main(["show", "acme/buckets/www"]) == 0
    shown = capsys.readouterr()
    for one in (found["secret_key"], SECRET):
        assert one not in shown.out + shown.err, "only the command that is for it shows a key"
        assert not any(one.encode() in path.read_bytes() for path in (site / ".stead").rglob("*") if path.is_file())


@pytest.mark.parametrize("address", ["acme/buckets/none", "object_stores/main", "nonsense"])
@pytest.mark.usefixtures("site")
def test_what_has_no_keys_is_told(capsys: pytest.CaptureFixture[str], address: str) -> None:
    assert main(["credentials", address]) == 1
    told = capsys.readouterr().err
    assert "STEAD-C110" in told
    assert "These have: acme/buckets/backups, acme/buckets/www" in " ".join(told.split())


@pytest.mark.usefixtures("site")
def test_an_output_that_is_not_there_has_nothing_to_reveal(capsys: pytest.CaptureFixture[str]) -> None:
    for more in ([], ["--reveal"]):
        capsys.readouterr()
        assert main(["output", "websit", *more]) == 1
        told = capsys.readouterr()
        assert (told.out, "Did you mean 'website'?" in told.err) == ("", True)


def test_a_store_goes_after_its_buckets_on_all_its_hosts(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One host removes a bucket, and asks the others for it."""
    spec = site / "stead.yml"
    spec.write_text(spec.read_text(encoding="utf-8").replace("protect: true", "protect: false"), encoding="utf-8")
    assert main(["apply", "--auto-approve"]) == 0
    capsys.readouterr()
    assert main(["plan", "--destroy", "--json"]) == 0
    steps = json.loads(capsys.readouterr().out)["steps"]
    buckets = [one for one in steps if "/buckets/" in one["address"]]
    stores = [one for one in steps if one["address"] == "object_stores/main"]
    assert len(buckets) > 1
    assert len({one["host"] for one in stores}) > 1
    assert all({one["number"] for one in buckets} <= set(store["after"]) for store in stores)
    apart = [(one, store) for one in buckets for store in stores if store["host"] != one["host"]]
    assert all(one["wave"] < store["wave"] for one, store in apart)
