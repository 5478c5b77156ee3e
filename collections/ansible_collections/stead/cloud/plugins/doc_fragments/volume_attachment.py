# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of stead.cloud.volume_attachment. Made by scripts/generate; do not edit."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  project:
    description: Project that instance and volume belong to.
    type: str
    required: true
  instance:
    description: Name of the instance, kept on this host by M(stead.cloud.instance).
    type: str
    required: true
  volume:
    description: Name of the volume, kept by M(stead.cloud.volume).
    type: str
    required: true
  mode:
    description: Whether the guest may write to it.
    type: str
    choices:
      - rw
      - ro
    default: rw
  device:
    description: Name that the guest is asked to use, as C(vdc). Left out, it is the first free one.
    type: str
  size:
    description: Size of the volume, as C(50GiB). A running guest is told of it when the volume has grown.
    type: str
  account:
    description:
      - Secret of the volume, if another host serves it by iSCSI. M(stead.cloud.volume_account) returns
        it there.
      - Left out, the secret that this host already has is used.
    type: str
  state:
    description: Whether it is attached.
    type: str
    choices:
      - present
      - absent
    default: present
  pool:
    description: Name of the pool. This option and the next ones say where the volume is, if another host
      keeps it.
    type: str
    default: default
  type:
    description: Type of the pool, as in M(stead.cloud.volume).
    type: str
    choices:
      - dir
      - iscsi
      - lvm
      - lvm-thin
      - nfs
      - rbd
    default: dir
  path:
    description: Directory of the pool on the host that serves it.
    type: path
  server:
    description: Address at which the host that serves it is reached.
    type: str
"""
