"""What a request can be refused for, with a permanent code. How a service writes it, `envelopes` say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

from stead.core.diagnostics import Code, Diagnostic, Severity

NOT_LOGGED_IN = Code("STEAD-W001", "the request is not authenticated")
NOT_ALLOWED = Code("STEAD-W002", "the request is not allowed")
NOT_FOUND = Code("STEAD-W003", "no such resource of the API")
NOT_BUILT = Code("STEAD-W004", "this is not implemented")
BAD_REQUEST = Code("STEAD-W005", "the request cannot be understood")
CONFLICT = Code("STEAD-W006", "the request conflicts with the current state")
TOO_LARGE = Code("STEAD-W007", "the request is too large")
OF_FILES = Code("STEAD-W008", "the project belongs to files")
BAD_VERSION = Code("STEAD-W009", "no such version of the API")
SITE_BROKEN = Code("STEAD-W010", "the site's files have errors")
OURS = Code("STEAD-W011", "internal error of the server")
TOO_MANY = Code("STEAD-W012", "too many requests")

_QUOTA, _GRANT, _PLACED = "STEAD-Q", "STEAD-G003", "STEAD-P"
_FULL = (_PLACED, "STEAD-R", "STEAD-N006")  # what others have


class Fault(Exception):  # noqa: N818 - the client's, most of them
    def __init__(self, status: int, code: str, text: str, *, quota: bool = False, receipt: str = "") -> None:
        super().__init__(text)
        self.status, self.code, self.text, self.quota = status, code, text, quota
        self.receipt = receipt  # for the half of a login that was good


def unauthenticated(text: str = "The request you have made requires authentication.") -> Fault:
    return Fault(401, NOT_LOGGED_IN.id, text)


def forbidden(text: str) -> Fault:
    return Fault(403, NOT_ALLOWED.id, text)


def not_found(what: str, name: object = "") -> Fault:
    return Fault(404, NOT_FOUND.id, f"{what} {str(name)[:80]} could not be found.".replace("  ", " "))


def bad(text: str) -> Fault:
    return Fault(400, BAD_REQUEST.id, text)


def conflict(text: str) -> Fault:
    return Fault(409, CONFLICT.id, text)


def not_built(text: str) -> Fault:
    return Fault(501, NOT_BUILT.id, text)


def refused(found: Iterable[Diagnostic], project: str, file: str) -> NoReturn:
    """What the planner says, as an answer. Only what is told of this project goes to its people."""
    errors = [one for one in found if one.severity is Severity.ERROR]
    mine = [
        one
        for one in errors
        if (one.place is not None and one.place.file == file) or one.address.startswith(f"{project}/")
    ]
    if not mine:
        told = next((one for one in errors if one.address == f"projects/{project}"), None)
        if told is None:
            code = errors[0].code if errors else SITE_BROKEN.id
            raise Fault(503, SITE_BROKEN.id, f"The site cannot be planned just now ({code}). Its operators know more.")
        mine = [told]
    first = mine[0]
    text = "; ".join(f"{one.summary}: {_told(one)}" for one in mine[:5])
    if any(one.code.startswith(_QUOTA) for one in mine):
        raise Fault(403, first.code, f"Quota exceeded: {text}", quota=True)
    if any(one.code == _GRANT for one in mine):
        raise Fault(403, first.code, text)
    raise Fault(409 if first.code.startswith(_FULL) else 400, first.code, text)


def _told(one: Diagnostic) -> str:
    """What fits nowhere is told in one line. The lines below it name hosts, which are the operators' business."""
    return one.detail.partition("\n")[0] if one.code.startswith(_PLACED) else one.detail


_NOVA_WORDS = {
    400: "badRequest", 401: "unauthorized", 403: "forbidden", 404: "itemNotFound", 405: "badMethod",
    409: "conflictingRequest", 413: "overLimit", 429: "overLimit", 501: "notImplemented", 503: "serviceUnavailable",
}  # fmt: skip
_TITLES = {
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    406: "Not Acceptable", 409: "Conflict", 413: "Request Entity Too Large", 429: "Too Many Requests",
    500: "Internal Server Error", 501: "Not Implemented", 503: "Service Unavailable",
}  # fmt: skip
_NEUTRON_TYPES = {400: "BadRequest", 401: "Unauthorized", 403: "PolicyNotAuthorized", 404: "NotFound", 409: "Conflict"}


_NEUTRON_CODES = {"STEAD-N006": "IpAddressAlreadyAllocated"}


def _nova(fault: Fault) -> Mapping[str, Any]:
    return {_NOVA_WORDS.get(fault.status, "computeFault"): {"code": fault.status, "message": said(fault)}}


def _neutron(fault: Fault) -> Mapping[str, Any]:
    usual = _NEUTRON_TYPES.get(fault.status, _TITLES.get(fault.status, "Fault"))
    type_ = "OverQuota" if fault.quota else _NEUTRON_CODES.get(fault.code, usual)
    return {"NeutronError": {"type": type_.replace(" ", ""), "message": said(fault), "detail": ""}}


def _keystone(fault: Fault) -> Mapping[str, Any]:
    return {"error": {"code": fault.status, "title": title(fault.status), "message": said(fault)}}


def _glance(fault: Fault) -> Mapping[str, Any]:
    return {"code": f"{fault.status} {title(fault.status)}", "title": title(fault.status), "message": said(fault)}


def said(fault: Fault) -> str:
    return f"{fault.text} ({fault.code})"


def title(status: int) -> str:
    return _TITLES.get(status, "Fault")


def _heat(fault: Fault) -> Mapping[str, Any]:
    error = {"message": said(fault), "traceback": None, "type": title(fault.status).replace(" ", "")}
    return {"code": fault.status, "title": title(fault.status), "explanation": said(fault), "error": error}


Envelope = Callable[[Fault], Mapping[str, Any]]
ENVELOPES: Mapping[str, Envelope] = {
    "identity": _keystone,
    "compute": _nova,
    "network": _neutron,
    "image": _glance,
    "volume": _nova,
    "orchestration": _heat,
}
