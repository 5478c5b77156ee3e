# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of stead.cloud.volume. Made by scripts/generate; do not edit."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  name:
    description: Name of the volume.
    type: str
    required: true
  project:
    description: Project that it belongs to.
    type: str
    required: true
  image:
    description: Name of the image that it is made from, kept on this host by M(stead.cloud.image).
    type: str
  state:
    description: Whether it exists. With V(absent) everything that is on it is lost.
    type: str
    choices:
      - present
      - absent
    default: present
  pool:
    description: Name of the pool.
    type: str
    default: default
  type:
    description: What the pool is. Files of V(nfs) and V(iscsi) are served to other hosts, which needs
      a host that the role P(stead.cloud.storage#role) has prepared. V(lvm) and V(lvm-thin) have been
      tested by their commands only.
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
    description: Directory of the pool. Left out, it is the directory of the pool's name under C(/var/lib/stead/pools).
      For V(lvm) it is the volume group. For V(lvm-thin) it is the volume group and the thin pool, as
      C(vg0/thin).
    type: path
  server:
    description: Address of this host at which others reach the pool, for pools of type V(nfs) or V(iscsi).
    type: str
  size:
    description: Size, as C(50GiB). Required unless O(state=absent).
    type: str
  format:
    description: 'Format. Left out, it is what the type of the pool can have: V(qcow2) where both are
      possible.'
    type: str
    choices:
      - qcow2
      - raw
  qos:
    description: Limits, kept by the host of the instance that uses it.
    type: dict
    suboptions:
      iops:
        description:
          - Operations a second.
          - For example V(2000).
        type: int
      read_iops:
        description: Reads a second.
        type: int
      write_iops:
        description: Writes a second.
        type: int
      throughput:
        description:
          - Bytes a second, written as a size.
          - For example V(200MiB).
        type: str
      read_throughput:
        description: Bytes read a second, written as a size.
        type: str
      write_throughput:
        description: Bytes written a second, written as a size.
        type: str
"""
