# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of stead.cloud.instance. Made by scripts/generate; do not edit."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  name:
    description: Name of the instance.
    type: str
    required: true
  project:
    description: Project that it belongs to.
    type: str
    required: true
  image:
    description: Name of an image on this host, kept by M(stead.cloud.image). Required unless O(state=absent).
    type: str
  disk:
    description: Size of the root disk, as C(10GiB).
    type: str
    default: 10GiB
  networks:
    description: Its network interfaces, in order.
    type: list
    elements: dict
    default: []
    suboptions:
      network:
        description: Name of a network on this host, kept by M(stead.cloud.network).
        type: str
        required: true
      mac:
        description: MAC address.
        type: str
        required: true
      address:
        description: Static address with its prefix length, as C(10.20.0.11/24). Left out, the guest asks
          by DHCP.
        type: str
      mtu:
        description: Largest packet.
        type: int
        default: 1450
      subnets:
        description: Subnets of the network that it has its addresses in, one of each family; left out,
          the first of each family.
        type: list
        elements: str
      model:
        description: Model of the device.
        type: str
        choices:
          - virtio
          - e1000e
          - e1000
          - rtl8139
        default: virtio
      bandwidth:
        description: Mbit/s at most. Left out, there is no limit.
        type: int
  volumes:
    description:
      - Names of volumes of the project on this host, kept by M(stead.cloud.volume).
      - Left out, it keeps the volumes that it has, for example by M(stead.cloud.volume_attachment).
    type: list
    elements: str
  hypervisor:
    description: Hardware virtualisation or emulation.
    type: str
    choices:
      - kvm
      - qemu
    default: kvm
  user_data:
    description: User data for cloud-init, which reads it once, at the first boot.
    type: str
    default: ''
  keys:
    description: Public SSH keys that may log in.
    type: list
    elements: str
    default: []
  restart:
    description: Restart it where a change needs it. Otherwise such changes wait for the next start.
    type: bool
    default: false
  wait:
    description:
      - What ready means. A task that makes, starts or restarts the instance ends when the instance is
        ready.
      - The task fails when the instance is not ready in time. The same task waits again.
    type: dict
    suboptions:
      source:
        description: Address with its prefix length from which the host looks, as C(10.20.0.253/24). Nobody
          else may have it. It lies in the network of an O(networks[].address). Required unless O(wait.for)
          is V(agent) or V(cloud-init).
        type: str
      for:
        description: V(address) is ready when the guest answers for its address. V(ssh) and V(http) are
          ready when such a server answers, V(agent) when the guest agent answers, and V(cloud-init) when
          cloud-init has ended without errors.
        type: str
        choices:
          - address
          - ssh
          - http
          - agent
          - cloud-init
        required: true
      timeout:
        description: Seconds until the task fails.
        type: int
        default: 300
      port:
        description: Port; left out, 22 of ssh and 80 of http.
        type: int
      path:
        description: Path, for V(http). Left out, it is C(/).
        type: str
      status:
        description: Status that it must answer with, of http; left out, any below 400.
        type: int
  state:
    description:
      - Whether it runs, is stopped, or does not exist. With V(absent) everything on its root disk is
        lost.
      - V(paused) keeps its memory in that of its host, V(suspended) on a disk there, until it is to run
        again.
    type: str
    choices:
      - running
      - stopped
      - paused
      - suspended
      - absent
    default: running
  hostname:
    description: Host name. Left out, it is the name of the instance.
    type: str
  autostart:
    description: Start it with its host.
    type: bool
    default: true
  stop_timeout:
    description: How long it may take to shut down before it is switched off, in seconds.
    type: int
    default: 60
  migration:
    description: How it moves to another host while it runs.
    type: dict
    suboptions:
      downtime:
        description: How long it may stand still at the end of a move; left out, 300ms, in milliseconds.
        type: int
      bandwidth:
        description:
          - Bytes a second that a move sends, at most, written as a size; left out, no limit.
          - For example V(100MiB).
        type: str
      auto_converge:
        description: Slow down its processors, where its memory changes faster than it can be sent.
        type: bool
        default: false
      timeout:
        description: How long a move may take until it is cancelled and the instance stays; left out,
          no limit, in seconds.
        type: int
  architecture:
    description: Architecture of its processor. Left out, it is that of the host.
    type: str
    choices:
      - x86_64
      - aarch64
      - ppc64le
      - s390x
      - riscv64
  machine:
    description: Machine type, as C(q35). Left out, it is the usual one of the architecture.
    type: str
  cpu:
    description: CPU model. Left out, it is V(host-model) if O(hypervisor=kvm), and V(maximum) if O(hypervisor=qemu).
    type: str
  firmware:
    description: Firmware. Left out, it is V(bios) on x86_64 and V(uefi) elsewhere.
    type: str
    choices:
      - bios
      - uefi
      - uefi-secure
  boot:
    description: Order of boot devices.
    type: list
    elements: str
    choices:
      - disk
      - cdrom
      - network
    default:
      - disk
  graphics:
    description: Graphical console, on a UNIX socket that only root of the host opens.
    type: str
    choices:
      - vnc
      - spice
      - none
    default: none
  agent:
    description: A channel for the guest agent.
    type: bool
    default: true
  tpm:
    description: An emulated TPM 2.0.
    type: bool
    default: false
  watchdog:
    description: A watchdog, and what it does when the guest stops feeding it.
    type: str
    choices:
      - none
      - reset
      - poweroff
      - pause
    default: none
  vcpus:
    description:
      - Virtual CPUs.
      - For example V(2).
    type: int
    default: 1
  memory:
    description:
      - Memory of the guest.
      - For example V(4GiB).
    type: str
    default: 1GiB
  max_vcpus:
    description:
      - Up to so many virtual CPUs are added while it runs; changing this takes a reboot.
      - For example V(8).
    type: int
  max_memory:
    description:
      - Up to so much memory is given and taken while it runs; changing this takes a reboot.
      - For example V(16GiB).
    type: str
  hugepages:
    description: Back the memory with huge pages of this size.
    type: str
    choices:
      - 2MiB
      - 1GiB
  topology:
    description: Sockets, cores and threads, for guests that care.
    type: dict
    suboptions:
      sockets:
        description: CPU sockets that the guest sees.
        type: int
        default: 1
      cores:
        description: Cores in each socket.
        type: int
        default: 1
      threads:
        description: Threads of each core.
        type: int
        default: 1
"""
