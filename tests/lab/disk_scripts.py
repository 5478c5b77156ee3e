"""Programs that a guest runs over HTTP on a disk, which it knows by its serial number.

Each is asked for as /cgi-bin/NAME?SERIAL, or ?SERIAL=WORD: in which order a guest finds disks is its own business.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

HEAD = """#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n'
disk() {
  for one in /sys/block/vd*/serial /sys/block/sd*/device/vpd_pg80; do
    tr -d "\\0" 2>/dev/null <"$one" | grep -q "${QUERY_STRING%%=*}" && echo "$one" | cut -d/ -f4
  done
}
"""
SCRIPTS = {
    "put": 'printf "%-16s" "${QUERY_STRING#*=}" | dd of="/dev/$(disk)" conv=notrunc,fsync 2>&1',
    "get": 'dd if="/dev/$(disk)" bs=16 count=1 2>/dev/null | tr -d "\\0 "',
    "size": 'cat "/sys/block/$(disk)/size"',
}
SECTORS = 2048  # in a MiB


def user_data(more: Mapping[str, str]) -> str:
    files = [
        {"path": f"/srv/http/cgi-bin/{name}", "permissions": "0755", "content": f"{HEAD}{text}\n"}
        for name, text in (SCRIPTS | dict(more)).items()
    ]
    return "#cloud-config\n" + json.dumps({"write_files": files})
