"""Compares this host with its ledger, from tables that are read once and shared by all comparisons."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple, TypeVar

from ..base.errors import Failed
from ..base.kind import Act
from ..base.readings import Shared, Unread
from ..base.sessions import Sessions
from ..base.step import Entry, HostStep, Want
from ..base.work import Work
from ..hypervisor import drivers

T = TypeVar("T")

# What is told of something that has no value of its own.
ALTERED = "altered"


class Look:
    def __init__(self, host: str, lost: Sequence[Entry] = ()) -> None:
        self.host = host  # this host's name in the inventory
        self.trouble: List[str] = []  # what could not be read, and why
        self.blind = ""  # why nothing can be said of instances
        self._sessions = Sessions()
        self._read: Dict[str, Any] = {}
        self.reading = ""  # what it is at now
        self.now = Shared(self._sessions, self.trouble, lost)

    def differing(self, make: Act, step: HostStep) -> Dict[str, Any]:
        """What `make` would do here, had it to: in words of the want, as far as it has one for it."""
        work = Work(self.host, check=True, sessions=self._sessions, now=self.now)
        try:
            make(step, work)
        except Unread:  # it was told
            return {}
        except Failed as error:  # what is missing, it could not even make
            self.trouble.append("{0}: {1}".format(step.get("address", ""), error))
        if work.done and not work.parts:
            work.differs("parts")
        return _told(step["want"], work.parts)

    @staticmethod
    def readable(read: Callable[..., Dict[str, T]]) -> Dict[str, T]:
        """What cannot be read is told, and nothing of it is said."""
        try:
            return read()
        except Unread:
            return {}

    @property
    def guests(self) -> Dict[str, Any]:
        """UUID -> guest as it is; nothing, and trouble, where a hypervisor should answer and does not."""
        return self._once("guests", self._guests, {})

    def _guests(self) -> Dict[str, Any]:
        try:
            return {uuid: guest for one in self._hypervisors() for uuid, guest in one.seen().items()}
        except Failed as error:
            self.blind = str(error)
            raise

    @property
    def versions(self) -> Dict[str, str]:
        """Of the programs of hypervisors."""
        return self._once(
            "versions", lambda: {name: text for one in self._hypervisors() for name, text in one.versions().items()}, {}
        )

    @staticmethod
    def expects_guests() -> bool:
        return any(driver.is_here() for driver in drivers.DRIVERS)

    def _hypervisors(self) -> Any:
        """Where there should be guests and no hypervisor is here, all are asked: who does not answer says why."""
        return list(drivers.here(self._sessions)) or [one.open(self._sessions) for one in drivers.DRIVERS]

    def _once(self, name: str, read: Callable[[], T], otherwise: T) -> T:
        if name not in self._read:
            self.reading = "a hypervisor"
            try:
                self._read[name] = read()
            except Failed as error:
                self.trouble.append(str(error))
                self._read[name] = otherwise
        found: T = self._read[name]
        return found

    def close(self) -> None:
        self._sessions.close()


def _told(want: Want, parts: Mapping[Tuple[str, Optional[str]], Any]) -> Dict[str, Any]:
    """field -> what is there of it, where that is otherwise. The whole of a field says more than a part."""
    found: Dict[str, Any] = {}
    for (field, key), there in sorted(parts.items(), key=lambda item: (item[0][0], item[0][1] or "")):
        if key is None:
            found[field] = ALTERED if there is None and not want.get(field) else there
        elif (field, None) not in parts:
            one = found.setdefault(field, dict(want.get(field) or {}))
            one.pop(key, None)
            if there is not None:
                one[key] = there
    return found
