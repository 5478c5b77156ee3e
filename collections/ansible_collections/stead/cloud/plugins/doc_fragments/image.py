# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of stead.cloud.image. Made by scripts/generate; do not edit."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  name:
    description: Name of the image.
    type: str
    required: true
  state:
    description: Whether the host has it.
    type: str
    choices:
      - present
      - absent
    default: present
  source:
    description: Absolute path on the host, or an http or https URL. Required unless O(state=absent).
    type: str
  checksum:
    description: Digest of the file as it is fetched, C(sha256:) or C(sha512:) and hexadecimal digits.
    type: str
  format:
    description: Format of the file.
    type: str
    choices:
      - qcow2
      - raw
      - vmdk
      - vdi
      - vhd
      - vhdx
      - iso
      - tar
      - squashfs
    default: qcow2
  compression:
    description: How the file is compressed.
    type: str
    choices:
      - none
      - gz
      - xz
      - bz2
      - zst
    default: none
  size:
    description: Size of the disk in the image, as C(3GiB). An image of another size is refused.
    type: str
"""
