"""What should be, before any choice: variables, counts, defaults and references resolved.

It decides nothing that has an alternative: no host, no address, no identifier.
"""

from stead.language.desired.model import Block, Check, Desired, Hook, Output, Settings, Site
from stead.language.desired.resolve import resolve

__all__ = ["Block", "Check", "Desired", "Hook", "Output", "Settings", "Site", "resolve"]
