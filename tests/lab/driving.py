"""A workspace over a lab, driven by the command line as a person does it, and by nothing else.

Every command is looked at for a traceback, and so is every log that Ansible left.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from stead.lab.image.build import ensure_image
from stead.lab.site import Lab
from stead.runner.ansible_process import collections

STEAD = Path(sys.executable).with_name("stead")
PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")


class Said(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass
class Driven:
    lab: Lab
    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    more: Sequence[Path] = ()  # inventories beside the lab's
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def inventories(self) -> list[Path]:
        return [self.lab.inventory, *self.more]

    def write(self, text: str) -> None:
        (self.folder / "stead.yml").write_text(text, encoding="utf-8")

    def line_of(self, words: str) -> str:
        """`stead.yml:7`, where the spec says these words: what a diagnostic should point to."""
        lines = (self.folder / "stead.yml").read_text(encoding="utf-8").splitlines()
        return f"stead.yml:{1 + next(number for number, line in enumerate(lines) if words in line)}"

    def argv(self, *words: str) -> list[str]:
        own = [word for path in self.inventories for word in ("-i", str(path))]
        own += [word for name, value in self.variables.items() for word in ("-e", f"{name}={value}")]
        return [str(STEAD), words[0], *own, *words[1:]]

    def stead(self, *words: str, status: int | None = 0) -> Said:
        own = {**os.environ, **self.environment}
        done = subprocess.run(self.argv(*words), cwd=self.folder, capture_output=True, text=True, check=False, env=own)
        said = Said(done.returncode, done.stdout, done.stderr)
        assert "Traceback" not in said.text, said.text
        assert status is None or said.status == status, said.text
        return said

    def apply(self, *words: str, status: int | None = 0) -> Said:
        said = self.stead("apply", "--auto-approve", "--verbose", *words, status=status)
        for log in self.folder.rglob("ansible.log"):
            assert "Traceback" not in log.read_text(encoding="utf-8", errors="replace"), log
        return said

    def assert_nothing_to_do(self) -> None:
        said = self.stead("plan", "--detailed-exitcode", status=None)
        assert said.status == 0, said.text

    def destroy(self) -> Said:
        return self.stead("destroy", "--auto-approve", "--max-disruption", "data-loss")

    def steps(self) -> list[dict[str, Any]]:
        """Of a plan made now."""
        found: list[dict[str, Any]] = json.loads(self.stead("plan", "--json").out)["steps"]
        return found

    def run(self, host: str, command: str) -> str:
        return self.lab.run(host, ["sh", "-c", command])

    def guests(self, host: str) -> set[str]:
        """QEMU's processes, with the moments in which they were born: a guest that was started anew is another."""
        born = "$(sed 's/.*) //' /proc/$one/stat | cut -d' ' -f20)"
        return set(
            self.run(host, f"for one in $(pgrep -f '^/usr/bin/qemu-system-'); do echo $one {born}; done").splitlines()
        )

    def facts(self, host: str) -> list[dict[str, Any]]:
        """What a host says of its images."""
        text = self.run(host, "for one in /var/lib/stead/images/*.json; do cat $one; echo; done 2>/dev/null || true")
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    def image_files(self, host: str) -> set[str]:
        return set(self.run(host, "ls -A /var/lib/stead/images").split())


def prepare(lab: Lab) -> None:
    words = [str(PLAYBOOK), "-i", str(lab.inventory), "stead.cloud.bootstrap"]
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": collections()}  # an older copy may be installed here
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout[-3000:]


def tiny() -> Path:
    return ensure_image("tiny", lambda _text: None)


def certificate(folder: Path, name: str) -> str:
    """With its key, for a server of this name."""
    key, made = folder / f"{name}.key", folder / f"{name}.crt"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9", "-subj", f"/CN={name}"]
    subprocess.run([*words, "-keyout", str(key), "-out", str(made)], check=True, capture_output=True)
    return key.read_text() + made.read_text()
