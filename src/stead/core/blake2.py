"""BLAKE2 without OpenSSL, which `hashlib` loads with everything it has: a twentieth of a small plan's time.

The standard library's `random` does the same, for the same reason.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hashlib import blake2b
else:
    try:
        from _blake2 import blake2b
    except ImportError:  # a Python that keeps it elsewhere
        from hashlib import blake2b

__all__ = ["blake2b"]
