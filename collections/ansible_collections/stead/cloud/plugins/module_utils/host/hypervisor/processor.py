"""The processor of this host, as /proc/cpuinfo has it of the first: model, vendor, and what it can do."""

from __future__ import annotations

from typing import Any, Dict


def described() -> Dict[str, Any]:
    found: Dict[str, str] = {}
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        for line in file:
            if not line.strip():
                break
            name, _colon, value = line.partition(":")
            found[name.strip()] = value.strip()
    flags = found.get("flags") or found.get("Features") or ""
    return {
        "model": found.get("model name", ""),
        "vendor": found.get("vendor_id", ""),
        "features": sorted(flags.split()),
    }
