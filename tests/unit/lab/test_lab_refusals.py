"""What goes wrong while a lab or its images are made is refused with a code and with what the program said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from stead.core.diagnostics import Refused
from stead.lab import links
from stead.lab.base import Base
from stead.lab.build_base import build_bare
from stead.lab.commands import run
from stead.lab.image.disk import unpack
from stead.lab.sizes import read_sizes


def _bad_sizes(folder: Path) -> object:
    (folder / "lab.yml").write_text("hosts: {compute: {count: 0}}\n")
    return read_sizes(folder / "lab.yml")


def _no_mirror(folder: Path) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STEAD_LAB_MIRROR", (folder / "no-mirror").as_uri())
        build_bare(folder / "tree")
    return None


WRONG: dict[str, tuple[str, Callable[[Path], object]]] = {
    "a lab of no hosts": ("STEAD-B006", _bad_sizes),
    "a command that fails": ("STEAD-B011", lambda _folder: run(["false"])),
    "a mirror that is not there": ("STEAD-B012", _no_mirror),
    "a package that is nowhere": ("STEAD-B018", lambda folder: unpack(Base(top=folder), ("none",), folder / "to")),
    "a namespace that cannot be": ("STEAD-B019", lambda _folder: links.add_namespace("no/name")),
}


@pytest.mark.parametrize("why", WRONG)
def test_what_a_lab_cannot_do_is_refused(why: str, tmp_path: Path) -> None:
    code, attempt = WRONG[why]
    with pytest.raises(Refused) as refused:
        attempt(tmp_path)
    assert [one.code for one in refused.value.diagnostics] == [code]
