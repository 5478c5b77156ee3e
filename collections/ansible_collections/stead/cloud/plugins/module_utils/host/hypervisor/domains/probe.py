"""Whether QEMU runs a guest here, and with which acceleration. A device file is no proof: a guest of 512 bytes has to
say so itself.
"""

from __future__ import annotations

import os
import platform
import struct
import tempfile
from typing import Any, Dict, List

from ...base import commands
from ...base.errors import Failed
from .. import processor

# Seconds. A guest that only says one word needs one on an idle host. Emulation is waited for, since without it a host
# runs nothing until its next boot; a KVM that hangs is given up on.
WITHIN = {"tcg": 120, "kvm": 15}
SAYS = 0x15
# qemu ends with twice the word plus one.
ANSWER = SAYS * 2 + 1
QEMU = {"x86_64": "qemu-system-x86_64", "aarch64": "qemu-system-aarch64"}
ELSEWHERE = ("/usr/libexec/qemu-kvm",)


def depends_on() -> List[Any]:
    """The emulator, and whether the kernel may offer KVM."""
    qemu = emulator()
    return [qemu, int(os.stat(qemu).st_mtime) if qemu else 0, os.path.exists("/dev/kvm")]


def emulator() -> str:
    name = QEMU.get(platform.machine(), "qemu-system-" + platform.machine())
    places_of_it = [os.path.join(folder, name) for folder in ("/usr/bin", "/usr/local/bin")]
    return next((path for path in places_of_it + list(ELSEWHERE) if os.access(path, os.X_OK)), "")


def hypervisors() -> Dict[str, str]:
    """name -> why it does not work; nothing when it does."""
    if not emulator():
        return {}
    found = {"qemu": trial("tcg")}
    found["kvm"] = _lacks_kvm() or trial("kvm")
    return found


def _lacks_kvm() -> str:
    """A KVM on a processor without the means is an emulation in software. It runs a guest of 512 bytes, and a guest's
    kernel stops it sooner or later with "KVM internal error"."""
    if not os.path.exists("/dev/kvm"):
        return "there is no /dev/kvm"
    if platform.machine() == "x86_64" and not {"vmx", "svm"}.intersection(processor.described()["features"]):
        return "the processor has neither VMX nor SVM"
    return ""


def trial(accelerator: str) -> str:
    """Boots a guest whose only act is to end with a known status. Empty when it did.

    With the CPU that instances get, `max`: some nested KVMs run only the oldest of processors.
    """
    machine = platform.machine()
    if machine not in QEMU:
        return "" if accelerator == "tcg" else "no trial is known for {0}".format(machine)
    with tempfile.TemporaryDirectory(prefix="stead-trial-") as folder:
        path = os.path.join(folder, "guest")
        with open(path, "wb") as file:
            file.write(_sector() if machine == "x86_64" else _calls())
        words = [
            emulator(),
            "-accel",
            accelerator,
            "-cpu",
            "max",
            "-m",
            "32",
            "-display",
            "none",
            "-nodefaults",
            "-no-reboot",
        ]
        try:
            status, _out, said = commands.attempt(words + _hardware(machine, path), timeout=WITHIN[accelerator])
        except Failed as error:
            return str(error)
    wanted = ANSWER if machine == "x86_64" else 0
    return "" if status == wanted else "the guest did not run (status {0}): {1}".format(status, said.strip()[-300:])


def _hardware(machine: str, path: str) -> List[str]:
    if machine == "x86_64":
        drive = "file={0},format=raw,if=ide".format(path)
        return ["-machine", "pc", "-device", "isa-debug-exit,iobase=0xf4,iosize=1", "-drive", drive]
    return ["-machine", "virt,gic-version=max", "-kernel", path]


def _sector() -> bytes:
    """Waits for three ticks of the timer, since some KVMs run code and lose interrupts, and then says its word."""
    code = bytes.fromhex(
        "31c0 8ed8 fb b90300"  # xor ax, ax; mov ds, ax; sti; mov cx, 3
        "8b1e6c04 f4 3b1e6c04 74f9 e2f3"  # mov bx, [ticks]; hlt; cmp bx, [ticks]; je to hlt; loop to mov bx
    )
    code += bytes([0xB0, SAYS, 0xE6, 0xF4, 0xF4, 0xEB, 0xFD])  # mov al, SAYS; out 0xf4, al; hlt; jmp to hlt
    return code + bytes(510 - len(code)) + b"\x55\xaa"


def _calls() -> bytes:
    """mov w0, PSCI_SYSTEM_OFF; hvc: the machine ends with status 0. A guest that does not run never ends."""
    return struct.pack("<4I", 0xD2800100, 0xF2B08000, 0xD4000002, 0x14000000)
