"""Which members of a load balancer answer, as its HAProxy on this host has found out."""

from __future__ import annotations

import csv
from typing import Any, Dict, List

from . import runtime_socket

SERVERS = "show stat -1 4 -1"
NUMBERS = {"sessions": "scur", "total": "stot", "bytes_in": "bin", "bytes_out": "bout", "since": "lastchg"}


def backends(uuid: str) -> List[Dict[str, Any]]:
    """Nothing where it does not run here."""
    lines = runtime_socket.asked(uuid, SERVERS).lstrip("# ").splitlines()
    return [_told(row) for row in csv.DictReader(line for line in lines if line)]


def _told(row: Dict[str, str]) -> Dict[str, Any]:
    found: Dict[str, Any] = {name: int(row.get(column) or 0) for name, column in NUMBERS.items()}
    found["listener"], found["member"] = row["pxname"], row["svname"]
    found["state"] = row["status"].partition(" ")[0].lower()
    found["check"] = row.get("check_desc") or row.get("check_status") or ""
    return found
