"""A client of OVSDB's protocol (RFC 7047) over a socket of this host: one request, one answer.

Values are Python's own: a set is a frozenset, a map a dict. A row that is inserted is named until it has a UUID.
"""

from __future__ import annotations

import json
import socket
from typing import Any, Dict, FrozenSet, List, Mapping, NamedTuple, Sequence, Tuple, Union

from ...base.errors import Failed, FailureCode

SILENT = FailureCode("STEAD-E213", "a database of networks does not answer")
REFUSED = FailureCode("STEAD-E214", "a database of networks refuses a change")

PATIENCE = 30  # seconds for an answer
CHUNK = 1 << 20


class Uuid(NamedTuple):
    """Of a row that is there."""

    text: str


class Named(NamedTuple):
    """Of a row that the same transaction inserts."""

    text: str


Atom = Union[str, int, bool, Uuid, Named]
Value = Union[Atom, FrozenSet[Atom], Dict[Any, Any]]
Row = Dict[str, Value]
Operation = Dict[str, Any]


class OvsdbDatabase(NamedTuple):
    name: str
    path: str  # of its socket

    def transact(self, operations: Sequence[Operation]) -> List[Dict[str, Any]]:
        """All of them or none."""
        if not operations:
            return []
        answer = self._ask({"method": "transact", "params": [self.name, *operations], "id": 1})
        found: List[Dict[str, Any]] = answer.get("result") or []
        wrong = [one for one in [*found, {"error": answer.get("error")}] if one and one.get("error")]
        if wrong:
            text = "{0}: {1} {2}".format(self.name, wrong[0]["error"], wrong[0].get("details", "")).strip()
            raise Failed(REFUSED, text + ". Apply again; report it if it stays.")
        return found

    def select(self, tables: Mapping[str, Sequence[Any]]) -> Dict[str, List[Row]]:
        """Rows by table: `tables` has the conditions of each."""
        asked = [{"op": "select", "table": name, "where": where} for name, where in tables.items()]
        return {name: [_row(one) for one in told["rows"]] for name, told in zip(tables, self.transact(asked))}

    def _ask(self, message: Mapping[str, Any]) -> Dict[str, Any]:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(PATIENCE)
                connection.connect(self.path)
                connection.sendall(json.dumps(message).encode())
                return _answer(connection)
        except OSError as error:
            text = "{0} at {1}: {2}. Look at `systemctl status` of the service, and run `stead bootstrap` on this host."
            raise Failed(SILENT, text.format(self.name, self.path, error.strerror or error)) from error


def _answer(connection: socket.socket) -> Dict[str, Any]:
    """The first whole message; the server asks nothing of who has just come."""
    data = b""
    while True:
        chunk = connection.recv(CHUNK)
        if not chunk:
            raise OSError("it closed the connection")
        data += chunk
        if not chunk.endswith(b"}"):
            continue
        try:
            found: Dict[str, Any] = json.loads(data)
        except ValueError:
            continue
        return found


def _row(row: Mapping[str, Any]) -> Row:
    return {name: value_of(one) for name, one in row.items()}


def value_of(text: Any) -> Value:
    """From the protocol's form. A set of one is written as the one."""
    if isinstance(text, list):
        kind, body = text
        if kind == "set":
            return frozenset(map(_atom, body))
        if kind == "map":
            return {value_of(key): value_of(value) for key, value in body}
        return Uuid(body) if kind == "uuid" else Named(body)
    found: Atom = text
    return found


def _atom(text: Any) -> Atom:
    found: Any = value_of(text)
    return found  # type: ignore[no-any-return]


def form_of(value: Value) -> Any:
    if isinstance(value, frozenset):
        return ["set", sorted((form_of(one) for one in value), key=json.dumps)]
    if isinstance(value, dict):
        return ["map", [[form_of(key), form_of(one)] for key, one in sorted(value.items())]]
    if isinstance(value, Uuid):
        return ["uuid", value.text]
    return ["named-uuid", value.text] if isinstance(value, Named) else value


def same(wanted: Value, there: Value) -> bool:
    """A set of one is the one, and an empty one is nothing."""
    return _plain(wanted) == _plain(there)


def _plain(value: Value) -> Value:
    if isinstance(value, frozenset) and len(value) == 1:
        return next(iter(value))
    return value


def includes(column: str, value: Value) -> Tuple[str, str, Any]:
    return column, "includes", form_of(value)


def equals(column: str, value: Value) -> Tuple[str, str, Any]:
    return column, "==", form_of(value)
