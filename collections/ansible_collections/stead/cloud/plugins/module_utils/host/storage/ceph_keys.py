"""The key of a Ceph user: read from its keyring, and given to libvirt, which gives it to QEMU.

libvirt does not say what a private secret is. A digest of the key that it was given last stands in a file of root's:
a key that was changed in the keyring is given anew before the next guest starts.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import uuid

from ..base import libvirt_client, paths
from ..base.errors import Failed, FailureCode
from ..base.work import Work
from . import libvirt_secrets

NO_KEY = FailureCode("STEAD-E162", "the key of the Ceph user is not on this host")

TYPE = "ceph"
KEYRING = "/etc/ceph/ceph.client.{0}.keyring"
GIVEN = paths.ROOT + "/ceph"
_KEY = re.compile(r"^\s*key\s*=\s*(\S+)\s*$", re.MULTILINE)
_IDS = uuid.UUID("5f0f3c52-94f0-4e0f-8b70-6f2f0f5b4a10")


def secret_of(user: str) -> str:
    """The same on every host: a guest that moves finds it there."""
    return str(uuid.uuid5(_IDS, user))


def give(user: str, work: Work) -> None:
    """On a host without libvirt there is nobody to give it to."""
    if not libvirt_client.is_here():
        return
    key, secret, note = _key(user), secret_of(user), os.path.join(GIVEN, user)
    told = hashlib.sha256(key).hexdigest() + "\n"
    if paths.read_bytes(note) == told.encode() and libvirt_secrets.is_set(secret, work):
        return
    usage = libvirt_secrets.Usage(TYPE, "client." + user, "name")
    libvirt_secrets.put(secret, usage, key, work)
    work.directory(GIVEN)
    work.write(note, told)


def _key(user: str) -> bytes:
    path = KEYRING.format(user)
    found = _KEY.search((paths.read_bytes(path) or b"").decode(errors="replace"))
    try:
        key = base64.b64decode(found.group(1), validate=True) if found else b""
    except binascii.Error:
        key = b""
    if not key:
        text = "{0} has no line `key = …`. Copy the keyring from the cluster: `ceph auth get client.{1}`."
        raise Failed(NO_KEY, text.format(path, user))
    return key
