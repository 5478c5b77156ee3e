"""What a thick logical volume shows of those before it: nothing, however a run ends. The volume group is a model here,
since the kernel of the tests has no device-mapper."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.base import commands
from ansible_collections.stead.cloud.plugins.module_utils.host.base.work import Work
from ansible_collections.stead.cloud.plugins.module_utils.host.storage import drivers

EXTENT = 4 << 20
POOL = {"name": "fast", "type": "lvm", "path": "vg0"}
NAME = "stead-data"


class KilledError(Exception):
    pass


class Group:
    """Extents in order of the disk: whose each is, and what can be read there."""

    def __init__(self) -> None:
        self.owner = ["other", "", "other", "", "", ""]
        self.content = ["theirs"] * len(self.owner)
        self.calls: list[str] = []
        self.left = -1  # commands until the run is killed; none of them when it is negative

    def of(self, volume: str) -> list[int]:
        return [at for at, owner in enumerate(self.owner) if owner == volume]

    def reads(self, volume: str) -> set[str]:
        return {self.content[at] for at in self.of(volume)}

    def run(self, argv: list[Any], feed: str | None = None, timeout: float = 0) -> str:
        del feed, timeout
        words = [str(one) for one in argv]
        if self.left == 0:
            raise KilledError
        self.left -= 1
        self.calls.append(" ".join(words))
        told = dict(zip(words, words[1:], strict=False))  # noqa: RUF007 - an option and its value
        named = words[words.index("--") + 1 :] if "--" in words else words[1:]
        volume = named[0].removeprefix("vg0/")
        match words[0]:
            case "vgs":
                return str(EXTENT)
            case "lvs":
                ranges = "".join(f"  /dev/sda:{at}-{at}\n" for at in self.of(volume))
                shown = {"lv_size": len(self.of(volume)) * EXTENT, "lv_tags": "stead", "seg_pe_ranges": ranges}
                return str(shown[told["--options"]])
            case "lvcreate":
                self._take(told["--name"], int(told["--size"][:-1]) // EXTENT, range(len(self.owner)))
            case "lvextend":
                where = [int(one.rpartition("-")[2]) for one in named[1:]] or range(len(self.owner))
                self._take(volume, int(told["--size"][:-1]) // EXTENT - len(self.of(volume)), where)
            case "lvremove":
                self.owner = ["" if owner == volume else owner for owner in self.owner]
            case "lvrename":
                self.owner = [words[-1] if owner == words[-2] else owner for owner in self.owner]
            case "blkdiscard":
                for at in self.of(words[-1].removeprefix("/dev/vg0/")):
                    self.content[at] = ""
        return ""

    def _take(self, volume: str, count: int, where: Any) -> None:
        free = [at for at in where if not self.owner[at]]
        assert len(free) >= count
        for at in free[:count]:
            self.owner[at] = volume


@pytest.fixture
def group(monkeypatch: pytest.MonkeyPatch) -> Group:
    found = Group()
    monkeypatch.setattr(commands, "run", found.run)
    monkeypatch.setattr("os.path.exists", lambda path: bool(found.of(path.removeprefix("/dev/vg0/"))))
    return found


def grow(group: Group, killed_after: int = -1) -> bool:
    """Whether it came to its end."""
    group.left = killed_after
    try:
        drivers.disk(POOL, "data", "raw").grow(3 * EXTENT, Work("here"))
    except KilledError:
        return False
    finally:
        group.left = -1
    return True


def test_what_a_thick_volume_grows_by_is_emptied_before_it_is_its_own(group: Group) -> None:
    drivers.disk(POOL, "data", "raw").blank(EXTENT, Work("here"))
    group.calls.clear()
    assert grow(group)
    assert [one for one in group.calls if not one.startswith("lvs")] == [
        f"lvcreate --quiet --yes --addtag stead --name {NAME}.new --wipesignatures y --size {2 * EXTENT}b -- vg0",
        f"blkdiscard --zeroout /dev/vg0/{NAME}.new",
        f"lvremove --quiet --yes --config devices/issue_discards=0 -- vg0/{NAME}.new",
        f"lvextend --quiet --size {3 * EXTENT}b -- vg0/{NAME} /dev/sda:3-3 /dev/sda:4-4",
    ]
    assert (len(group.of(NAME)), group.reads(NAME)) == (3, {""})


@pytest.mark.parametrize("killed_after", range(9))
def test_a_run_that_is_killed_while_a_thick_volume_grows_shows_nothing_of_others(
    group: Group, killed_after: int
) -> None:
    drivers.disk(POOL, "data", "raw").blank(EXTENT, Work("here"))
    ended = grow(group, killed_after)
    assert group.reads(NAME) == {""}
    assert ended or grow(group)
    assert (len(group.of(NAME)), group.reads(NAME), group.of(f"{NAME}.new")) == (3, {""}, [])
    assert group.content[0] == group.content[2] == "theirs", "of others nothing is touched"
