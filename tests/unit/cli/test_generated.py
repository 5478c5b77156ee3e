"""A secret that Stead makes up: the same in every plan, another for everybody else, and told to who has the key."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from stead.cli import main
from stead.language.desired.generated import ALPHABETS, Generate, generated
from stead.language.spec import VariableScope

SPEC = """\
stead: 1
vars:
  password: {{type: string, generate: {{{how}}}}}
flavors: {{small: {{vcpus: 1, memory: 1GiB, disk: 10GiB}}}}
images: {{debian: {{source: /srv/debian.qcow2}}}}
projects:
  acme:
    networks: {{app: {{subnets: {{v4: {{cidr: 10.20.0.0/24}}}}}}}}
    instances:
      db: {{flavor: small, image: debian, networks: [app], cloud_init: {{user_data: "set {{{{ vars.password }}}}"}}}}
outputs:
  url: {{value: "app:{{{{ vars.password }}}}@{{{{ projects.acme.instances.db.address }}}}", secret: true}}
  open: {{value: 1}}
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("STEAD_STORE", "STEAD_STORE_KEY"):
        monkeypatch.delenv(name, raising=False)
    assert main(["init", "demo"]) == 0
    monkeypatch.chdir(tmp_path / "demo")
    for old in Path().glob("*.yml"):
        if old.name != "inventory.yml":
            old.unlink()
    return tmp_path / "demo"


def stead(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    capsys.readouterr()
    assert main([*words]) == status
    told = capsys.readouterr()
    return told.out if status == 0 else told.err


def write(how: str) -> None:
    Path("stead.yml").write_text(SPEC.format(how=how))


def test_it_is_made_once_and_told_on_request(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write("length: 20")
    stead(capsys, "apply", "--auto-approve")
    assert json.loads(stead(capsys, "plan", "--json"))["steps"] == []
    assert stead(capsys, "output") == "open = 1\nurl = (secret)\n"
    url = stead(capsys, "output", "url", "--reveal").strip()
    user, password, address = url.replace("@", ":").split(":")
    assert (user, len(password), address[:6]) == ("app", 20, "10.20.")
    assert json.loads(stead(capsys, "output", "--reveal", "--json")) == {"url": url, "open": 1}
    kept = b"".join(one.read_bytes() for one in site.rglob("*") if one.is_file() and one.name != "key")
    assert password.encode() not in kept
    write("length: 20, version: 2")
    assert "STEAD-C120" in stead(capsys, "output", "url", "--reveal", status=1)
    stead(capsys, "apply", "--auto-approve", "--max-disruption", "data-loss")
    assert stead(capsys, "output", "url", "--reveal").strip() != url


def test_what_is_given_wins(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    del site
    write("")
    stead(capsys, "apply", "--auto-approve", "-e", "password=mine")
    assert stead(capsys, "output", "url", "--reveal", "-e", "password=mine").startswith("app:mine@")


SCOPE = VariableScope(declared={}, given={})
OTHERS = [
    generated(Generate(), b"key", SCOPE, "other"),
    generated(Generate(), b"other", SCOPE, "name"),
    generated(Generate(version=2), b"key", SCOPE, "name"),
    generated(Generate(characters="symbols"), b"key", SCOPE, "name"),
    generated(Generate(), b"key", VariableScope(declared={}, given={}, project="acme"), "name"),
    generated(Generate(), b"key", VariableScope(declared={}, given={}, prefix="acme"), "name"),
    generated(Generate(), b"key", VariableScope(declared={}, given={}, project="acme", walls=Path("/")), "name"),
]


def test_everybody_has_another() -> None:
    found = [one.reveal() for one in [*OTHERS, generated(Generate(), b"key", SCOPE, "name")]]
    assert len(set(found)) == len(found)
    assert found[-1] == generated(Generate(), b"key", SCOPE, "name").reveal()


def test_a_longer_one_does_not_begin_with_the_shorter_one() -> None:
    """Or whoever knows the old one would know most of the new one."""
    short, long = (generated(Generate(length=length), b"key", SCOPE, "name").reveal() for length in (24, 32))
    assert not long.startswith(short[:8])


@pytest.mark.parametrize("characters", ALPHABETS)
def test_each_character_is_as_likely(characters: str) -> None:
    asked = Generate(length=256, characters=characters)  # type: ignore[arg-type]
    seen = Counter("".join(generated(asked, b"key", SCOPE, str(name)).reveal() for name in range(400)))
    assert set(seen) == set(ALPHABETS[characters])
    mean = 256 * 400 / len(seen)
    assert all(abs(count - mean) < 6 * mean**0.5 for count in seen.values())
