"""What tasks of a playbook say of an instance, and of a volume that it uses."""

from __future__ import annotations

from typing import Annotated, Literal

from ansible_collections.stead.cloud.plugins.module_utils.wire.instance import InstanceWant, NicWant, WaitWant
from stead.core.fields import Secret, Size
from stead.core.task import DONE, Returned, TaskForm, kept
from stead.core.value import value
from stead.kinds.instance.model import Instance, Nic, WaitFor
from stead.kinds.shared.pool_task import TYPES, PoolWords
from stead.kinds.shared.sizing import Flavor


@value
class NicWords:
    network: Annotated[str, "Name of a network on this host, kept by M(stead.cloud.network)"]
    mac: Annotated[str, "MAC address"]
    address: Annotated[
        str | None,
        "Static address with its prefix length, as C(10.20.0.11/24). Left out, the guest asks by DHCP",
    ] = None
    mtu: Annotated[int, "Largest packet"] = 1450


@value
class WaitWords:
    source: Annotated[
        str | None,
        "Address with its prefix length from which the host looks, as C(10.20.0.253/24). Nobody else may have it. "
        "It lies in the network of an O(networks[].address). Required unless O(wait.for) is V(agent) or V(cloud-init)",
    ] = None


@value
class InstanceWords:
    name: Annotated[str, "Name of the instance"]
    project: Annotated[str, "Project that it belongs to"]
    image: Annotated[
        str | None,
        "Name of an image on this host, kept by M(stead.cloud.image). Required unless O(state=absent)",
    ] = None
    disk: Annotated[str, Size(), "Size of the root disk, as C(10GiB)"] = "10GiB"
    networks: Annotated[tuple[NicWords, ...], "Its network interfaces, in order"] = ()
    volumes: Annotated[
        tuple[str, ...] | None,
        "Names of volumes of the project on this host, kept by M(stead.cloud.volume)",
        "Left out, it keeps the volumes that it has, for example by M(stead.cloud.volume_attachment)",
    ] = None
    hypervisor: Annotated[Literal["kvm", "qemu"], "Hardware virtualisation or emulation"] = "kvm"
    user_data: Annotated[str, "User data for cloud-init, which reads it once, at the first boot"] = ""
    keys: Annotated[tuple[str, ...], "Public SSH keys that may log in"] = ()
    restart: Annotated[bool, "Restart it where a change needs it. Otherwise such changes wait for the next start"] = (
        False
    )
    wait: Annotated[
        WaitWords | None,
        "What ready means. A task that makes, starts or restarts the instance ends when the instance is ready",
        "The task fails when the instance is not ready in time. The same task waits again",
    ] = None
    state: Annotated[
        Literal["running", "stopped", "paused", "suspended", "absent"],
        "Whether it runs, is stopped, or does not exist. With V(absent) everything on its root disk is lost",
        "V(paused) keeps its memory in that of its host, V(suspended) on a disk there, until it is to run again",
    ] = "running"


@value
class AttachmentWords:
    project: Annotated[str, "Project that instance and volume belong to"]
    instance: Annotated[str, "Name of the instance, kept on this host by M(stead.cloud.instance)"]
    volume: Annotated[str, "Name of the volume, kept by M(stead.cloud.volume)"]
    mode: Annotated[Literal["rw", "ro"], "Whether the guest may write to it"] = "rw"
    device: Annotated[
        str | None, "Name that the guest is asked to use, as C(vdc). Left out, it is the first free one"
    ] = None
    size: Annotated[
        str | None, Size(), "Size of the volume, as C(50GiB). A running guest is told of it when the volume has grown"
    ] = None
    account: Annotated[
        Secret | None,
        "Secret of the volume, if another host serves it by iSCSI. M(stead.cloud.volume_account) returns it there",
        "Left out, the secret that this host already has is used",
    ] = None
    state: Annotated[Literal["present", "absent"], "Whether it is attached"] = "present"


READY = Returned(
    "ready",
    "dict",
    "What it was waited for, and for how many seconds.",
    "when it was started and O(wait) is given",
    {"for": "ssh on port 22", "seconds": 14.2},
)
INSTANCE = TaskForm(
    own=(InstanceWords,),
    models=(Instance, Flavor),
    want=InstanceWant,
    defaults={"vcpus": 1, "memory": "1GiB", "graphics": "none"},
    texts={
        "hostname": "Host name. Left out, it is the name of the instance.",
        "architecture": "Architecture of its processor. Left out, it is that of the host.",
        "machine": "Machine type, as C(q35). Left out, it is the usual one of the architecture.",
        "firmware": "Firmware. Left out, it is V(bios) on x86_64 and V(uefi) elsewhere.",
        "cpu": "CPU model. Left out, it is V(host-model) if O(hypervisor=kvm), and V(maximum) if O(hypervisor=qemu).",
    },
    without={
        "devices": "no host code gives a guest a device of its host",
        "properties": "only the inventory of a plan's instances shows them",
    },
    parts={
        "networks": TaskForm(
            own=(NicWords,),
            models=(Nic,),
            want=NicWant,
            defaults={"model": "virtio"},
            texts={"model": "Model of the device.", "bandwidth": "Mbit/s at most. Left out, there is no limit."},
        ),
        "wait": TaskForm(
            own=(WaitWords,),
            models=(WaitFor,),
            want=WaitWant,
            texts={
                "for": "V(address) is ready when the guest answers for its address. V(ssh) and V(http) are ready when "
                "such a server answers, V(agent) when the guest agent answers, and V(cloud-init) when cloud-init has "
                "ended without errors.",
                "timeout": "Seconds until the task fails.",
                "path": "Path, for V(http). Left out, it is C(/).",
            },
        ),
    },
    returned=(*kept("the instance, and of its domain"), READY),
)
ATTACHMENT = TaskForm(
    own=(AttachmentWords, PoolWords),
    texts={
        "pool": "Name of the pool. This option and the next ones say where the volume is, if another host keeps it.",
        "type": "Type of the pool, as in M(stead.cloud.volume).",
        "path": "Directory of the pool on the host that serves it.",
        "server": "Address at which the host that serves it is reached.",
    },
    choices={"type": TYPES},
    returned=(
        Returned("uuid", "str", "Identity of the instance."),
        Returned("before", "dict", "How the volume was attached. Empty when it was not."),
        Returned("after", "dict", "How it is attached now, or would be in check mode."),
        DONE,
    ),
)
TASKS = {"instance": INSTANCE, "volume_attachment": ATTACHMENT}
