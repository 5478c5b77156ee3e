"""The builder of XML: values become attributes and text of elements, and are never pasted into markup."""

from __future__ import annotations

from xml.etree import ElementTree as Xml


def element(parent, tag, attributes=None, text=None):
    found = Xml.SubElement(parent, tag, {name: str(value) for name, value in (attributes or {}).items()})
    if text is not None:
        found.text = str(text)
    return found
