"""Backups of servers that replace each other: of each type, the latest ones are kept, and what is in use."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stead.serve.edits import NO_SECTION, Content, Edit, all_of, remove
from stead.serve.image.sharing import forgotten

ROTATION = "rotation"  # of an image that is being made: how many of its kind are kept
_SAME = ("image_type", "backup_type", "instance_uuid")


def surplus(content: Content, key: str, keep: int) -> dict[str, str]:
    """The images that the one with this key replaces, with their files. Keys are in the order of their making."""
    images = content["images"]
    kind = _kind(images[key])
    found = sorted(name for name, one in images.items() if _kind(one) == kind)
    used = _used(content)
    old = found[:-keep] if keep else []
    return {name: images[name]["source"] for name in old if name not in used and not images[name].get("protect")}


def without(key: str) -> Edit:
    return all_of(lambda content: remove(content, "images", key), forgotten(key))


def remove_file(folder: Path, source: str) -> None:
    if Path(source).is_relative_to(folder):
        Path(source).unlink(missing_ok=True)


def _kind(image: Mapping[str, Any]) -> tuple[Any, ...]:
    properties = image.get("properties") or {}
    return tuple(properties.get(name) for name in _SAME)


def _used(content: Content) -> frozenset[str]:
    servers, volumes = content.get("instances", NO_SECTION), content.get("volumes", NO_SECTION)
    of_servers = {one.get(word) for one in servers.values() for word in ("image", "cdrom")}
    of_volumes = {one["from"].get("image") for one in volumes.values() if isinstance(one.get("from"), Mapping)}
    return frozenset(one for one in (*of_servers, *of_volumes) if one)
