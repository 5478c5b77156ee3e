"""Images of a Ceph pool, by its program `rbd`. Under its own name an image is whole, whenever a run was killed.

A clone stands on a snapshot of its origin until it is written over; who removes the origin copies into the clone first
what it still needs. An image of the site is brought into the pool once, as `image-DIGEST`, by whichever host needs it
first, and goes with its last clone.
"""

from __future__ import annotations

import json
import os
import threading
from typing import Any, Dict, List, NamedTuple, Optional

from ..base import commands, paths
from ..base.errors import Failed
from ..base.work import Work
from . import disk_files
from .driver import Content, PoolRoom

BASE = "image-"  # how the names of images of the site begin
MOMENT = "base"  # the snapshot of those
PATIENCE = 10  # seconds, for monitors that do not answer
# A pool, a cluster or a configuration that is not there ends with the same status, and says nothing of images.
MISSING, NO_IMAGE = 2, "error opening image"
_BRINGING = threading.Lock()  # steps of one host run at once
TRIES = 3  # somebody else may just have removed what was to be cloned


def told(out: str) -> Any:
    """An answer that is none is a failure of the program, and says nothing of what it was asked for."""
    try:
        return json.loads(out)
    except ValueError:
        raise Failed(commands.PROGRAM_FAILED, "Ceph answered without JSON: {0!r}".format(out[:200])) from None


class Ceph(NamedTuple):
    """A pool, and the user as whom it is used."""

    user: str
    pool: str

    def words(self, program: str, *words: object) -> List[object]:
        return [program, "--id", self.user, "--client_mount_timeout", PATIENCE, *words]

    def spec(self, name: str) -> str:
        return "{0}/{1}".format(self.pool, name)

    def url(self, name: str) -> str:
        return "rbd:{0}:id={1}".format(self.spec(name), self.user)

    def ask(self, *words: object) -> Any:
        return told(commands.run(self.words("rbd", *words, "--format", "json")))

    def silent(self) -> str:
        """Why the pool cannot be used; empty where it can."""
        try:
            status, out, said = commands.attempt(self.words("rbd", "ls", self.pool))
        except Failed as error:
            return str(error)
        return "" if status == 0 else (said.strip() or out.strip())[-commands.TAIL :]

    def room(self) -> PoolRoom:
        pools = told(commands.run(self.words("ceph", "df", "--format", "json")))["pools"]
        stats: Dict[str, Any] = next((one["stats"] for one in pools if one["name"] == self.pool), {})
        free = int(stats.get("max_avail", 0))
        return {"size": int(stats.get("stored", 0)) + free, "free": free}


class RbdImage:
    format = "raw"

    def __init__(self, ceph: Ceph, name: str) -> None:
        self._ceph, self._name = ceph, name
        self.path = ceph.url(name)

    def exists(self) -> bool:
        return self._info() is not None

    def size(self) -> int:
        return int((self._info() or {"size": 0})["size"])

    def rounded(self, size: int) -> int:
        return size

    def blank(self, size: int, work: Work) -> None:
        new = self._empty(size, work)
        self._rename(new, work)

    def fill(self, source: Content, size: int, work: Work, steady: bool = False) -> None:
        if os.path.dirname(source.path) == paths.IMAGES and not steady:
            self._begin_as(source, size, work)
            return
        new = self._empty(size, work)
        new.write(source, work)
        if steady and not work.check:
            disk_files.refuse_unsteady(source, Content(new.path, self.format))
        self._rename(new, work)

    def write(self, source: Content, work: Work) -> None:
        """-n: it is there already, and empty."""
        words = [*disk_files.reads("convert", source), "-n", "--target-is-zero", "-O", self.format, source.path]
        work.run([*words, self.path], timeout=disk_files.CONVERTS_WITHIN)

    def grow(self, size: int, work: Work) -> None:
        self._rbd(work, "resize", "--no-progress", "--size", "{0}B".format(size), self.spec)

    def clone(self, other: RbdImage, work: Work) -> None:
        """Of one moment, and in no time, whoever writes to it."""
        new = other._new(work)
        self._keep(other._name, work)
        self._rbd(work, "clone", self._ceph.spec("{0}@{1}".format(self._name, other._name)), new.spec)
        other._rename(new, work)

    def export(self, target: Content, work: Work) -> None:
        disk_files.export(Content(self.path, self.format), target, work)

    def remove(self, work: Work) -> None:
        self._new(work)
        info = self._info()
        if info is None:
            return
        for moment in self._moments():
            for child in self._ceph.ask("children", "{0}@{1}".format(self.spec, moment["name"])):
                spec = "{0}/{1}".format(child["pool"], child["image"])
                self._rbd(work, "flatten", "--no-progress", spec, timeout=disk_files.CONVERTS_WITHIN)
            self._forget(moment, work)
        self._rbd(work, "rm", "--no-progress", self.spec, timeout=disk_files.CONVERTS_WITHIN)
        parent = info.get("parent")
        if parent and parent["pool"] == self._ceph.pool:
            RbdImage(self._ceph, parent["image"]).let_go(parent["snapshot"], work)

    def let_go(self, moment: str, work: Work) -> None:
        """Of a snapshot that clones stood on; of an image of the site with it. While any stands on it, both stay."""
        spec = "{0}@{1}".format(self.spec, moment)
        if work.check or not self.exists() or self._ceph.ask("children", spec):
            return
        try:
            self._rbd(work, "snap", "unprotect", spec)
        except Failed:  # somebody has cloned it since
            return
        self._rbd(work, "snap", "rm", "--no-progress", spec)
        if self._name.startswith(BASE):
            self._rbd(work, "rm", "--no-progress", self.spec)

    def _begin_as(self, source: Content, size: int, work: Work) -> None:
        """As an image of the site, whose file is named by its content."""
        base = RbdImage(self._ceph, BASE + os.path.splitext(os.path.basename(source.path))[0])
        for attempt in range(TRIES):
            try:
                with _BRINGING:
                    base.bring(source, work)
                new = self._new(work)
                self._rbd(work, "clone", "{0}@{1}".format(base.spec, MOMENT), new.spec)
                break
            except Failed:
                if attempt == TRIES - 1 or base.is_ready():
                    raise
        new.grow(size, work)
        self._rename(new, work)

    def bring(self, source: Content, work: Work) -> None:
        """Whoever is first; another's that came meanwhile is as good."""
        if self.is_ready():
            return
        mine = RbdImage(self._ceph, "{0}.new-{1}".format(self._name, work.host))
        mine.remove(work)
        size = disk_files.size_of(source.path, source.format) if os.path.exists(source.path) else 0
        self._rbd(work, "create", "--size", "{0}B".format(size), mine.spec)
        mine.write(source, work)
        mine._keep(MOMENT, work)
        try:
            self._rbd(work, "mv", mine.spec, self.spec)
        except Failed:
            mine.remove(work)
            if not self.is_ready():
                raise

    def is_ready(self) -> bool:
        return any(one["name"] == MOMENT for one in self._moments())

    def _keep(self, moment: str, work: Work) -> None:
        """A snapshot that clones may stand on."""
        spec, there = "{0}@{1}".format(self.spec, moment), {one["name"]: one for one in self._moments()}
        if moment in there and not work.check:  # of a run that was killed: what was there then is of another moment
            self._forget(there[moment], work)
        self._rbd(work, "snap", "create", "--no-progress", spec)
        self._rbd(work, "snap", "protect", spec)

    def _forget(self, moment: Dict[str, Any], work: Work) -> None:
        spec = "{0}@{1}".format(self.spec, moment["name"])
        if str(moment.get("protected", "false")) in ("true", "True"):
            self._rbd(work, "snap", "unprotect", spec)
        self._rbd(work, "snap", "rm", "--no-progress", spec)

    def _moments(self) -> List[Dict[str, Any]]:
        return list(self._ceph.ask("snap", "ls", self.spec)) if self.exists() else []

    def _empty(self, size: int, work: Work) -> RbdImage:
        new = self._new(work)
        self._rbd(work, "create", "--size", "{0}B".format(size), new.spec)
        return new

    def _new(self, work: Work) -> RbdImage:
        """What becomes it; nothing of another try is left."""
        new = RbdImage(self._ceph, self._name + ".new")
        if new.exists():
            new.remove(work)
        return new

    def _rename(self, new: RbdImage, work: Work) -> None:
        self._rbd(work, "mv", new.spec, self.spec)

    def _info(self) -> Optional[Dict[str, Any]]:
        words = self._ceph.words("rbd", "info", self.spec, "--format", "json")
        status, out, said = commands.attempt(words)
        if status == MISSING and NO_IMAGE in said:
            return None
        if status:
            text = "`{0}` ended with status {1}: {2}"
            raise Failed(commands.PROGRAM_FAILED, text.format(commands.shown(words), status, said.strip()))
        found: Dict[str, Any] = told(out)
        return found

    @property
    def spec(self) -> str:
        return self._ceph.spec(self._name)

    def _rbd(self, work: Work, *words: object, timeout: float = commands.PATIENCE) -> None:
        work.run(self._ceph.words("rbd", *words), timeout=timeout)
