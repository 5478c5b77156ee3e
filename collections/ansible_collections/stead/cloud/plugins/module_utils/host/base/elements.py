"""Builds XML: values become attributes and text of elements, and are never pasted into markup."""

from __future__ import annotations

from typing import Mapping, Optional
from xml.etree import ElementTree as Xml


def element(
    parent: Xml.Element, tag: str, attributes: Optional[Mapping[str, object]] = None, text: Optional[object] = None
) -> Xml.Element:
    found = Xml.SubElement(parent, tag, {name: str(value) for name, value in (attributes or {}).items()})
    if text is not None:
        found.text = str(text)
    return found


def inner(parent: Xml.Element, path: str) -> Xml.Element:
    """A child that always exists."""
    found = parent.find(path)
    if found is None:
        raise ValueError("no {0} in {1}".format(path, parent.tag))
    return found
