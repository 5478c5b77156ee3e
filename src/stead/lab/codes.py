"""The mistakes a lab can refuse with, and how each is mended. Codes are permanent."""

from __future__ import annotations

from typing import NoReturn

from stead.core.diagnostics import Code, Place, Refused

NOT_ROOT = Code("STEAD-B001", "a lab needs root")
NO_TOOL = Code("STEAD-B002", "a program the lab needs is missing")
NO_SPACE = Code("STEAD-B003", "not enough disk space for the lab")
NO_OVERLAY = Code("STEAD-B004", "the kernel or file system does not support overlays")
BAD_FILE = Code("STEAD-B005", "the lab file cannot be read")
BAD_VALUE = Code("STEAD-B006", "the lab file has an invalid value")
BAD_NAME = Code("STEAD-B007", "invalid name of a lab")
NO_LAB = Code("STEAD-B008", "no such lab")
NO_HOST = Code("STEAD-B009", "no such host in the lab")
LAB_DIFFERS = Code("STEAD-B010", "another lab has this name")
COMMAND_FAILED = Code("STEAD-B011", "a command of the lab failed")
BASE_FAILED = Code("STEAD-B012", "the base tree could not be built")
NO_ANSWER = Code("STEAD-B013", "a host does not answer")
NO_SUBNET = Code("STEAD-B014", "no free subnet for the underlay")
NO_LINK = Code("STEAD-B015", "no such link on the host")
HOST_OFF = Code("STEAD-B016", "the host is switched off")
BAD_PLACE = Code("STEAD-B017", "the lab's directory cannot be used")
IMAGE_FAILED = Code("STEAD-B018", "the guest image could not be built")
NO_NAMESPACE = Code("STEAD-B019", "network namespaces cannot be created")
NO_FAULT = Code("STEAD-B020", "no such fault")
NOT_FOUND = Code("STEAD-B021", "there is nothing of this name to break")
NO_RESOURCE = Code("STEAD-B022", "the host has no such resource")
FAULT_FAILED = Code("STEAD-B023", "the fault could not be made")
NO_LIMIT = Code("STEAD-B024", "the file system belongs to this machine")


def refuse(code: Code, detail: str, place: Place | None = None) -> NoReturn:
    raise Refused(code.at(place, detail))
