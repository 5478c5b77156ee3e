"""The tiny guest reads seeds as cloud-init does: its YAML against PyYAML, and what it makes of each key."""

from __future__ import annotations

import json
import shutil
import string
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import stead.lab.image

FILES = Path(stead.lab.image.__file__).with_name("tiny_files")
DUMP = Path(__file__).with_name("dump.lua")
LUA = shutil.which("lua5.4") or shutil.which("lua")

pytestmark = pytest.mark.skipif(LUA is None, reason="needs Lua: apt-get install lua5.4")

EVERYTHING = """#cloud-config
hostname: a   # a comment
ssh_authorized_keys:
- ssh-ed25519 AAAA x@y
- 'it''s'
write_files:
  - path: /etc/a
    permissions: '0644'
    content: |
      hello: world
        # not a comment

      end
  - {path: /x, content: "a\\nb\\u00e9", mode: 0644}
  -   path: /folded
      content: >-
        one
        two

        three
          keep
        four
runcmd:
  - [sh, -c, "echo 'hi' > /tmp/x"]
  - echo foo
  - - ls
    - -l
  -
    - a
    - b
multi: this is
  a long
  plain # comment
quoted: "a
  b

  c \\
  d"
n: null
e:
t: yes
i: 12
f: 1.5
url: http://x:80/#frag
list: [a, b: 1, [c], {d: e}]   # and a comment
flow: {
  a: 1,   # here too
  b: [1,
    2]
}
"quoted key": 1
empty: []
emptymap: {}
s: "x # y"
keep: |+
  a

last: |2
    indented
"""
TEXTS = [
    EVERYTHING,
    "---\na: 1\n...\n",
    "- a\n- b: 1\n  c: 2\n-\n  d: 3\n- - x\n  - y\n",
    "{}",
    "",
    "# only a comment\n",
    '{"a": [1, "x\\"y", null, true], "b": {"c": "\\u00fc"}}',
    "a: 'x\n  y'\n",
    'network:\n  version: 2\n  ethernets:\n    n0:\n      match: {macaddress: "52:54:00:aa:bb:cc"}\n',
    "a:\n  - b\n  # comment\n\n  - c\nd: e\n",
    "k: |\n  x\n\n\nz: 1\n",
]
WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\x85\u2028\u2029\ufeff"), max_size=60
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | WORDS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(string.ascii_letters + " :#-_'\"", min_size=1, max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


def run_lua(*argv: object, text: str = "") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([str(LUA), *map(str, argv)], input=text.encode(), capture_output=True, check=False)


def read(text: str) -> Any:
    done = run_lua(DUMP, FILES, text=text)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


@pytest.mark.parametrize("text", TEXTS)
def test_what_people_write_is_read_as_pyyaml_reads_it(text: str) -> None:
    assert read(text) == yaml.safe_load(text)


@settings(max_examples=150, deadline=None)
@given(VALUES, st.booleans(), st.sampled_from([20, 80]))
def test_what_programs_write_is_read_back(value: object, flow: bool, width: int) -> None:
    assert read(yaml.safe_dump(value, default_flow_style=flow, width=width, allow_unicode=True)) == value
    assert read(json.dumps(value, ensure_ascii=False, indent=2)) == value
    assert read(json.dumps(value)) == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: &x 1\n", "line 1"),
        ("a: 1\nb: *x\n", "line 2"),
        ("a: !!int 1\n", "tags"),
        ("a: 1\na: 2\n", "twice"),
        ("a: [1\n", "not closed"),
        ('a: "x\n', "not closed"),
        ("a:\n\tb: 1\n", "tab"),
        ("a: 1\n   b: 2\n", "line 2"),
        ("a: 1\nnonsense\n", "key: value"),
        ("? a\n: b\n", "complex"),
    ],
)
def test_what_is_not_understood_is_refused_and_not_guessed(text: str, said: str) -> None:
    done = run_lua(DUMP, FILES, text=text)
    assert done.returncode == 1
    assert said in done.stderr.decode()


def plan(tmp_path: Path, **files: str) -> dict[str, str]:
    """What seed.lua made of a seed: file name -> content."""
    seed, made = tmp_path / "seed", tmp_path / "plan"
    seed.mkdir()
    made.mkdir()
    for name, text in files.items():
        (seed / name.replace("_", "-")).write_text(text, encoding="utf-8")
    done = run_lua(FILES / "seed.lua", seed, made)
    assert done.returncode == 0, done.stderr.decode()
    return {str(path.relative_to(made)): path.read_text("utf-8") for path in made.rglob("*") if path.is_file()}


def test_meta_data_names_the_guest_and_gives_keys(tmp_path: Path) -> None:
    made = plan(tmp_path, meta_data="instance-id: i-7\nlocal-hostname: web-0\npublic-keys: [ssh-ed25519 A]\n")
    assert made == {"instance-id": "i-7", "hostname": "web-0", "keys": "ssh-ed25519 A\n"}


def test_meta_data_may_be_json_as_stead_writes_it(tmp_path: Path) -> None:
    made = plan(tmp_path, meta_data=json.dumps({"instance-id": "i-7", "public-keys": {"0": {"openssh-key": "K"}}}))
    assert made == {"instance-id": "i-7", "keys": "K\n"}


def test_user_data_wins_over_meta_data_and_keys_add_up(tmp_path: Path) -> None:
    made = plan(
        tmp_path,
        meta_data="local-hostname: a\npublic-keys: K1\n",
        user_data="#cloud-config\nhostname: b\nssh_authorized_keys: [K2]\n",
    )
    assert made["hostname"] == "b"
    assert made["keys"] == "K1\nK2\n"


def test_files_are_written_with_their_mode_and_encoding(tmp_path: Path) -> None:
    entries = [{"path": "/a", "content": "x"}, {"path": "/b", "content": "eA==", "encoding": "b64", "append": True}]
    made = plan(tmp_path, user_data="#cloud-config\n" + json.dumps({"write_files": entries}))
    assert made["files/001/path"] == "/a"
    assert made["files/001/content"] == "x"
    assert made["files/001/mode"] == "0644"
    assert made["files/002/encoding"] == "b64"
    assert made["files/002/append"] == "yes"
    number = plan_of_mode(tmp_path / "number", "0600")
    assert number == plan_of_mode(tmp_path / "text", "'600'") == "600"


def plan_of_mode(tmp_path: Path, mode: str) -> str:
    tmp_path.mkdir()
    text = f"#cloud-config\nwrite_files:\n- {{path: /a, content: x, permissions: {mode}}}\n"
    return plan(tmp_path, user_data=text)["files/001/mode"]


def test_commands_reach_the_shell_as_they_are(tmp_path: Path) -> None:
    made = plan(tmp_path, user_data="#cloud-config\n" + json.dumps({"runcmd": ["echo $HOME", ["echo", "it's", "$x"]]}))
    assert made["runcmd"] == "echo $HOME\n'echo' 'it'\\''s' '$x'\n"


def test_disks_are_made_and_mounted(tmp_path: Path) -> None:
    text = "#cloud-config\nfs_setup: [{device: vdb, label: data}]\nmounts: [[vdb, /data], [LABEL=x, /x, ext4, ro]]\n"
    made = plan(tmp_path, user_data=text)
    assert made["fs/001/device"] == made["mounts/001/device"] == "/dev/vdb"
    assert made["mounts/001/options"] == "defaults,nofail"
    assert (made["mounts/002/device"], made["mounts/002/options"]) == ("LABEL=x", "ro")


def test_users_get_keys_and_passwords(tmp_path: Path) -> None:
    text = "#cloud-config\nusers: [default, {name: ann, ssh_authorized_keys: [K], plain_text_passwd: p}]\npassword: q\n"
    made = plan(tmp_path, user_data=text)
    assert made["users/002/name"] == "ann"
    assert made["users/002/keys"] == "K\n"
    assert made["passwords"] == "debian:q\n"
    assert "users/001/name" not in made


def test_a_script_is_user_data_too(tmp_path: Path) -> None:
    assert plan(tmp_path, user_data="#!/bin/sh\necho hi\n")["script"] == "#!/bin/sh\necho hi\n"


def test_network_addresses_routes_and_names(tmp_path: Path) -> None:
    ethernet = {
        "match": {"macaddress": "52:54:00:AA:BB:CC"},
        "set-name": "net0",
        "mtu": 1450,
        "dhcp6": True,
        "addresses": ["10.0.0.5/24", "fd00::5/64"],
        "gateway6": "fd00::1",
        "routes": [{"to": "0.0.0.0/0", "via": "10.0.0.1", "metric": 5}, {"to": "10.9.0.0/16", "via": "10.0.0.2"}],
        "nameservers": {"addresses": ["10.0.0.2"], "search": ["a.example", "b.example"]},
    }
    text = json.dumps({"network": {"version": 2, "ethernets": {"n0": ethernet}}})
    made = plan(tmp_path, network_config=text)
    assert made["net/001/mac"] == "52:54:00:aa:bb:cc"
    assert made["net/001/set-name"] == "net0"
    assert made["net/001/mtu"] == "1450"
    assert made["net/001/addresses"] == "10.0.0.5/24\nfd00::5/64\n"
    assert made["net/001/routes"].splitlines() == [
        "-6 route replace default via fd00::1",
        "-4 route replace default via 10.0.0.1 metric 5",
        "-4 route replace 10.9.0.0/16 via 10.0.0.2",
    ]
    assert made["net/001/dns"] == "10.0.0.2\n"
    assert made["net/001/search"] == "a.example b.example "
    assert "net/001/dhcp4" not in made
    assert "DHCPv6" in made["warnings"]


def test_what_is_not_read_is_told_and_the_rest_still_counts(tmp_path: Path) -> None:
    made = plan(
        tmp_path,
        meta_data="a: &x 1\n",
        user_data="#cloud-config\napt: {}\nhostname: b\n",
        network_config="version: 1\n",
    )
    assert made["hostname"] == "b"
    warnings = made["warnings"].splitlines()
    assert [line.split(":")[0] for line in warnings] == ["meta-data", "user-data", "network-config"]
