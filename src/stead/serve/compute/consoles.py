"""Consoles of servers: what one wrote, read on its host when somebody asks and kept nowhere here; and where to type."""

from __future__ import annotations

import threading
from typing import Any

from stead.core.recorded import Record
from stead.serve.faults import TOO_MANY, Fault, bad, conflict, not_found
from stead.serve.grants import ConsoleForm
from stead.serve.routes import ApiReply, Call
from stead.serve.world import KnownResource

OUTPUT = "os-getConsoleOutput"
OPENED = {"os-getSerialConsole": ConsoleForm.SERIAL, "os-getVNCConsole": ConsoleForm.SCREEN}
MOST = 256 << 10  # bytes
AT_ONCE = 4  # a host that does not answer must not take up all threads of the server
_slots = threading.BoundedSemaphore(AT_ONCE)


def output(call: Call, thing: KnownResource) -> ApiReply:
    lines, record = _lines(call.body[OUTPUT]), ready(thing)
    if not _slots.acquire(timeout=1):
        raise Fault(429, TOO_MANY.id, "Too many consoles are read at once. Try again later.")
    try:
        found = call.cloud.means.console_log(record, MOST)
    finally:
        _slots.release()
    if found is None:
        raise not_found("Guest console of", thing.id)
    text = found.decode(errors="replace").split("\n")
    return ApiReply(body={"output": "\n".join(text[-lines - 1 :] if lines is not None else text)})


def opened(call: Call, thing: KnownResource, form: ConsoleForm) -> ApiReply:
    """A page that opens the console once; its WebSocket is below it, for programs."""
    token, means = call.caller.token, call.cloud.means
    opener = means.screen if form is ConsoleForm.SCREEN else means.console
    if token is None or opener(ready(thing)) is None:
        raise not_found(f"Console of type {form} of", thing.id)
    key = call.cloud.consoles.give(token, thing, form)
    return ApiReply(body={"console": {"type": str(form), "url": f"{call.root}/portal/console/{key}"}})


def ready(thing: KnownResource) -> Record:
    record = thing.record
    if record is None or not record.wants.get(record.host):
        raise conflict(f"Instance {thing.id} is not ready")
    return record


def _lines(said: Any) -> int | None:
    """None for all of them, which is -1 in Nova's words as well."""
    asked = said.get("length") if isinstance(said, dict) else None
    if asked is None:
        return None
    try:
        number = int(asked)
    except (TypeError, ValueError) as error:
        raise bad("length is a whole number of lines.") from error
    return number if number >= 0 else None
