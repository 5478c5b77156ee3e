"""How each form of scalar is written and checked. The forms are those of fields.py."""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from stead.core.address import NAME
from stead.core.fields import Cidr, Duration, Form, Ip, Mac, Milliseconds, Name, Path, Ports, Range, Size, Text, Whole
from stead.language.document import Node, Scalar
from stead.language.reading.codes import OUT_OF_RANGE, WRONG_FORM, WRONG_TYPE
from stead.language.reading.context import Reading, kind_of

Convert = Callable[[Scalar, Reading], Any]  # None after a diagnostic

BINARY = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40, "PiB": 1 << 50}
DECIMAL = {"kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "PB": 10**15}
UNITS = {**BINARY, **DECIMAL, "B": 1}
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
# Beyond these nothing is meant: more than any disk, longer than any machine lasts.
MOST_BYTES = 1 << 60
MOST_SECONDS = 100 * 366 * 86400
MOST_MILLISECONDS = 60_000
_SIZE = re.compile(r"([0-9]{1,30})(?:\.([0-9]{1,30}))?\s*([kKMGTP]?i?B)")
_DURATION = re.compile(r"([0-9]{1,30})(?:\.([0-9]{1,30}))?\s*([smhdw])")
_MILLISECONDS = re.compile(r"([0-9]{1,30})(?:\.([0-9]{1,30}))?\s*(ms|[sm])")
_SHORT_SIZE = re.compile(r"([0-9.]+)\s*([kKmMgGtTpP])[bB]?")  # as Kubernetes and qemu write it
_DIGITS = re.compile(r"[0-9]{1,9}")
# Control characters, line and paragraph separators, and what turns the direction of text round.
_ODD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")


def scalar_reader(form: Form | None, base: type) -> Convert:
    """The function for one form; without one the type decides."""
    match form:
        case Whole():
            return lambda node, reading: _whole(node, reading, form)
        case Size():
            return lambda node, reading: _size(node, reading, form)
        case Milliseconds(least):
            return lambda node, reading: _milliseconds(node, reading, least)
        case Ip(version):
            return lambda node, reading: _ip(node, reading, version)
        case Cidr(version):
            return lambda node, reading: _cidr(node, reading, version)
        case Text():
            return lambda node, reading: _text(node, reading, form)
        case _:
            return _BY_FORM.get(type(form)) or _BY_TYPE[base]


def told(node: Node, reading: Reading, need: str) -> None:
    """Tells what is needed instead."""
    reading.tell(WRONG_TYPE, node.place, f"This is {kind_of(node)}; expected {need}.")


def _whole(node: Scalar, reading: Reading, form: Whole) -> int | None:
    value = node.value
    if not isinstance(value, int) or isinstance(value, bool):
        told(node, reading, "a whole number")
        return None
    low, high = form.least, form.most
    if (low is not None and value < low) or (high is not None and value > high):
        span = (
            f"from {low} to {high}"
            if low is not None and high is not None
            else (f"at least {low}" if low is not None else f"at most {high}")
        )
        reading.tell(OUT_OF_RANGE, node.place, f"{value} is out of range: it must be {span}.")
        return None
    return value


def _size(node: Scalar, reading: Reading, form: Size) -> int | None:
    match = _SIZE.fullmatch(node.text)
    if match is None or match[3] not in UNITS:
        hint = f"{node.text}GiB or {node.text}MiB, say" if _DIGITS.fullmatch(node.text) else "512MiB, 10GiB or 2TiB"
        if (shorter := _SHORT_SIZE.fullmatch(node.text)) is not None:
            hint = f"{shorter[1]}{shorter[2].upper()}iB"
        reading.tell(WRONG_FORM, node.place, f"{kind_of(node)} is not a size. Write the unit with it: {hint}.")
        return None
    value, rest = _times(match[1], match[2], UNITS[match[3]])
    if rest:
        reading.tell(WRONG_FORM, node.place, f"{node.text} is not a whole number of bytes.")
        return None
    if value < form.least:
        reading.tell(OUT_OF_RANGE, node.place, f"{node.text} is too small: it must be at least {human(form.least)}.")
        return None
    if value > MOST_BYTES:
        reading.tell(OUT_OF_RANGE, node.place, f"{node.text} is too large: it may be {human(MOST_BYTES)} at most.")
        return None
    return value


def _times(whole: str, fraction: str | None, unit: int) -> tuple[int, int]:
    """A decimal number of units in ones, and whether something is left. In whole numbers, since floats round."""
    fraction = fraction or ""
    return divmod(int(whole + fraction) * unit, int("1" + "0" * len(fraction)))


def human(size: int) -> str:
    """A size as people write it."""
    for unit, one in reversed(BINARY.items()):
        if size >= one:
            return f"{size // one}{unit}" if size % one == 0 else f"{size / one:.4g}{unit}"
    return f"{size}B"


def _duration(node: Scalar, reading: Reading) -> int | None:
    match = _DURATION.fullmatch(node.text)
    if match is None:
        reading.tell(WRONG_FORM, node.place, f"{kind_of(node)} is not a duration. Write 30s, 5m, 2h or 7d.")
        return None
    value, rest = _times(match[1], match[2], SECONDS[match[3]])
    if rest or value > MOST_SECONDS:
        why = "is not a whole number of seconds" if rest else "is longer than a hundred years"
        reading.tell(OUT_OF_RANGE, node.place, f"{node.text} {why}.")
        return None
    return value


def _milliseconds(node: Scalar, reading: Reading, least: int) -> int | None:
    match = _MILLISECONDS.fullmatch(node.text)
    if match is None:
        reading.tell(WRONG_FORM, node.place, f"{kind_of(node)} is not a duration. Write 300ms or 2s.")
        return None
    unit = 1 if match[3] == "ms" else 1000 * SECONDS[match[3]]
    value, rest = _times(match[1], match[2], unit)
    if rest or not least <= value <= MOST_MILLISECONDS:
        why = "is not a whole number of milliseconds" if rest else f"is not from {least}ms to 1m"
        reading.tell(OUT_OF_RANGE, node.place, f"{node.text} {why}.")
        return None
    return value


@cache
def _address(text: str) -> Any:
    try:
        return None if "%" in text else ipaddress.ip_address(text)  # a scope means something on one machine only
    except ValueError:
        return None


def _ip(node: Scalar, reading: Reading, version: int) -> str | None:
    address = _address(node.text)
    if address is None or (version and address.version != version):
        what = f"an IPv{version} address" if version else "an IP address"
        reading.tell(
            WRONG_FORM,
            node.place,
            f"{kind_of(node)} is not {what}, such as {'fd00::10' if version == 6 else '10.0.0.10'}.",
        )
        return None
    return str(address)


def _cidr(node: Scalar, reading: Reading, version: int) -> str | None:
    try:
        network = None if "%" in node.text else ipaddress.ip_network(node.text, strict=False)
    except ValueError:
        network = None
    if network is None or (version and network.version != version) or "/" not in node.text:
        reading.tell(
            WRONG_FORM, node.place, f"{kind_of(node)} is not a network. Write an address and a length: 10.0.0.0/24."
        )
        return None
    address = _address(node.text.partition("/")[0])
    if address != network.network_address:
        reading.tell(WRONG_FORM, node.place, f"{node.text} has bits set beyond its length. Is {network} meant?")
        return None
    return str(network)


def _range(node: Scalar, reading: Reading) -> str | None:
    first, dash, last = node.text.partition("-")
    ends = (_address(first.strip()), _address(last.strip()))
    if not dash or None in ends or ends[0].version != ends[1].version:
        reading.tell(WRONG_FORM, node.place, f"{kind_of(node)} is not a range. Write first-last: 10.0.0.10-10.0.0.99.")
        return None
    if ends[0] > ends[1]:
        reading.tell(OUT_OF_RANGE, node.place, f"{node.text} ends before it begins. Swap the two.")
        return None
    return f"{ends[0]}-{ends[1]}"


def _ports(node: Scalar, reading: Reading) -> str | None:
    first, dash, last = node.text.partition("-")
    if not _DIGITS.fullmatch(first) or (dash and not _DIGITS.fullmatch(last)):
        reading.tell(WRONG_FORM, node.place, f"{kind_of(node)} is not a port. Write 22, or 8000-8010.")
        return None
    low, high = int(first), int(last or first)
    if not 1 <= low <= high <= 65535:
        reading.tell(
            OUT_OF_RANGE, node.place, f"{node.text} is out of range: ports go from 1 to 65535, the lower first."
        )
        return None
    return f"{low}-{high}" if dash and low != high else str(low)


def _mac(node: Scalar, reading: Reading) -> str | None:
    text = node.text.lower().replace("-", ":")
    if not _MAC.fullmatch(text):
        reading.tell(WRONG_FORM, node.place, f"{kind_of(node)} is not a MAC address, such as 52:54:00:12:34:56.")
        return None
    if text == "00:00:00:00:00:00":
        reading.tell(
            WRONG_FORM, node.place, f"{text} is not a usable MAC address. Leave it out, and Stead chooses one."
        )
        return None
    if int(text[1], 16) & 1:
        reading.tell(WRONG_FORM, node.place, f"{text} is a multicast address. The second digit must be even.")
        return None
    return text


def _name(node: Scalar, reading: Reading) -> str | None:
    if not NAME.fullmatch(node.text):
        text = "a name has lower case letters, digits and dashes, begins with a letter, ends with a letter or digit"
        reading.tell(WRONG_FORM, node.place, f"{kind_of(node)} is not a name: {text}, and has 63 characters at most.")
        return None
    return node.text


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _text(node: Scalar, reading: Reading, form: Text) -> str | None:
    text = _plain_text(node, reading, _ODD if form.lines or form.late or form.secret else CONTROL)
    if text is None:
        return None
    if form.longest and len(text) > form.longest:
        reading.tell(OUT_OF_RANGE, node.place, f"It has {len(text)} characters; at most {form.longest} are possible.")
        return None
    if form.pattern and not _compiled(form.pattern).fullmatch(text):
        what = form.what or f"of the form {form.pattern}"
        shown = "Its value, a secret," if form.secret else kind_of(node)
        reading.tell(WRONG_FORM, node.place, f"{shown} is not {what}.")
        return None
    return text


def odd(text: str, pattern: re.Pattern[str] = CONTROL) -> str:
    """What is wrong with a text, if it has what no field takes: it would end a line of a file, or steer a terminal."""
    found = None if text.isascii() and text.isprintable() else pattern.search(text)
    return "" if found is None else f"the character U+{ord(found[0]):04X}, which is none that is written"


def _plain_text(node: Scalar, reading: Reading, pattern: re.Pattern[str] = CONTROL) -> str | None:
    """Numbers are taken as they are written; nothing and yes-or-no more likely are mistakes."""
    if node.plain and (node.value is None or isinstance(node.value, bool)):
        told(node, reading, "text (in quotes if this is meant)")
        return None
    if why := odd(node.text, pattern):
        reading.tell(WRONG_FORM, node.place, f"It has {why}. Take it out.")
        return None
    return node.text


def _flag(node: Scalar, reading: Reading) -> bool | None:
    value = node.value
    if not isinstance(value, bool):
        hint = " (YAML 1.2 knows no yes, no, on or off)" if node.text.lower() in ("yes", "no", "on", "off") else ""
        told(node, reading, f"true or false{hint}")
        return None
    return value


def _integer(node: Scalar, reading: Reading) -> int | None:
    return _whole(node, reading, Whole())


def _number(node: Scalar, reading: Reading) -> float | None:
    value = node.value
    if isinstance(value, bool) or not isinstance(value, int | float):
        told(node, reading, "a number")
        return None
    if not math.isfinite(value):
        reading.tell(OUT_OF_RANGE, node.place, f"{node.text} is not a finite number.")
        return None
    return float(value)


_BY_FORM: dict[type, Convert] = {
    Duration: _duration,
    Range: _range,
    Ports: _ports,
    Mac: _mac,
    Name: _name,
    Path: _plain_text,
}
_BY_TYPE: dict[type, Convert] = {str: _plain_text, int: _integer, float: _number, bool: _flag}
