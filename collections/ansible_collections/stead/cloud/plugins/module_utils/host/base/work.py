"""What a step works with. All changes of a host go through it, so check mode runs the same code without them."""

from __future__ import annotations

import contextlib
import os
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

from . import commands, paths
from .errors import Failed
from .readings import Readings, Unread
from .sessions import Sessions


class Work:
    """Does things, or with `check` only records what it would do. `done` lists what was, or would be, done."""

    def __init__(
        self,
        host: str,
        check: bool = False,
        secrets: Optional[Mapping[str, str]] = None,
        sessions: Optional[Sessions] = None,
        now: Optional[Readings] = None,
        handed: Optional[Mapping[str, str]] = None,
    ) -> None:
        self.host = host  # this host's name in the inventory
        self.handed = handed or {}  # UUID of a volume -> what its host gave for it
        self.check = check
        self.done: List[str] = []
        self.sessions = sessions if sessions is not None else Sessions()
        self.now = now or Readings(self.sessions)  # what the host has
        # (field of the want, key in it) -> what the host has, for each difference
        self.parts: Dict[Tuple[str, Optional[str]], Any] = {}
        self.booted = False  # this step has started a guest
        self.told: Dict[str, str] = {}  # what the controller is told beside: digests of disks, by their names
        self._secrets = secrets or {}

    @property
    def changed(self) -> bool:
        return bool(self.done)

    @contextlib.contextmanager
    def part(self, field: str, key: Optional[str] = None, there: Any = None) -> Iterator[None]:
        """Things done within concern this field: in check mode, the field differs on this host."""
        before = len(self.done)
        try:
            yield
        except Unread:
            raise
        except Failed:
            self.differs(field, key, there)
            raise
        else:
            if len(self.done) > before:
                self.differs(field, key, there)

    def differs(self, field: str, key: Optional[str] = None, there: Any = None) -> None:
        self.parts.setdefault((field, key), there)

    def run(self, argv: Sequence[object], feed: Optional[str] = None, timeout: float = commands.PATIENCE) -> str:
        self.done.append(commands.shown(argv))
        return "" if self.check else commands.run(argv, feed=feed, timeout=timeout)

    def batch(self, program: str, lines: Sequence[str], namespace: Optional[str] = None) -> None:
        """Many changes by `ip` or `bridge` in one call. A line has only names and numbers, which contain no spaces."""
        if not lines:
            return
        inside = ["-netns", namespace] if namespace else []
        self.done += ["{0} {1}".format(program, line) for line in lines]
        if not self.check:
            commands.run([program] + inside + ["-batch", "-"], feed="\n".join(lines) + "\n")

    def write(self, path: str, text: Union[str, bytes], mode: int = paths.PRIVATE) -> bool:
        data = text if isinstance(text, bytes) else text.encode()
        if paths.read_bytes(path) == data:
            return False
        self.done.append("write {0}".format(path))
        return True if self.check else paths.write(path, data, mode)

    def directory(self, path: str, mode: int = 0o700) -> None:
        if not os.path.isdir(path):
            self.done.append("make {0}".format(path))
            if not self.check:
                paths.directory(path, mode)

    def remove(self, path: str) -> None:
        if os.path.lexists(path):
            self.done.append("remove {0}".format(path))
            if not self.check:
                paths.remove(path)

    def remove_tree(self, path: str) -> None:
        if os.path.isdir(path):
            self.done.append("remove {0}".format(path))
            if not self.check:
                paths.remove_tree(path)

    def act(self, text: str, call: Callable[..., Any], *arguments: Any) -> Any:
        """A call that changes the host, with its description."""
        self.done.append(text)
        return None if self.check else call(*arguments)

    def can_open(self, value: Any) -> bool:
        """Whether all secrets of a value are known."""
        if isinstance(value, dict):
            sealed = set(value) == {"$secret"}
            return value["$secret"] in self._secrets if sealed else all(map(self.can_open, value.values()))
        return all(map(self.can_open, value)) if isinstance(value, list) else True

    def opened(self, value: Any) -> Any:
        """A value with its secrets filled in. Only for what reaches the guest: the ledger keeps the references."""
        if isinstance(value, dict):
            if set(value) == {"$secret"}:
                return self._secrets[value["$secret"]]
            return {name: self.opened(one) for name, one in value.items()}
        if isinstance(value, list):
            return [self.opened(one) for one in value]
        return value
