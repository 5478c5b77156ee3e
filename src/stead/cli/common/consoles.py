"""Consoles of guests, by SSH to their hosts: for a person who types, and for what `stead serve` shows of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from stead.core.diagnostics import Code, Refused
from stead.drivers.hypervisor import GRAPHICS, HypervisorDriver, by_hypervisor
from stead.site.ssh import ssh

if TYPE_CHECKING:
    from stead.core.recorded import Record
    from stead.site.inventory import Inventory

NO_CONSOLE = Code("STEAD-C044", "there is no console")
PATIENCE = 20  # seconds, for a host that is slow to answer
# Nobody is there to type a password.
ALONE = ("-o", "BatchMode=yes", "-o", "ConnectTimeout=5")


def driver_of(record: Record) -> HypervisorDriver | None:
    want = record.wants.get(record.host)
    return by_hypervisor().get(want.fields().get("hypervisor", "") if want is not None else "")


def no_log(record: Record, said: bytes) -> Refused:
    text = said.decode(errors="replace").strip()
    return Refused(NO_CONSOLE.at(None, f"{record.host} does not say what the guest wrote: {text[-500:]}"))


# A terminal on the host, and none here; a host that went away ends it. What a user types must not speak to SSH itself:
# without `-e none`, a line that begins with ~C opens ports of the controller.
TYPED_BY_USERS = ("-t", "-t", "-e", "none", "-o", "ServerAliveInterval=15")
SENT_BY_USERS = ("-T", "-e", "none", "-o", "ServerAliveInterval=15")  # as it is, without a terminal
SCREEN = "/usr/lib/stead/screen"


def opener(inventory: Inventory) -> Callable[[Record], Sequence[str] | None]:
    """The command that opens a guest's console for a user who is trusted with nothing else."""

    def words(record: Record) -> Sequence[str] | None:
        driver, told = driver_of(record), inventory.connections.get(record.host)
        if driver is None or told is None:
            return None
        return ssh(record.host, told, [*driver.console(record.leases["uuid"])], options=(*ALONE, *TYPED_BY_USERS))

    return words


def screen(record: Record) -> list[str]:
    """What shows a guest's screen on its host, by VNC; nothing where it has none, or one that VNC does not show."""
    driver, want = driver_of(record), record.wants.get(record.host)
    if driver is None or want is None or not driver.capabilities[GRAPHICS.name].can:
        return []
    return [SCREEN, record.leases["uuid"]] if want.fields().get("graphics") == "vnc" else []


def screen_opener(inventory: Inventory) -> Callable[[Record], Sequence[str] | None]:
    """The same for a user who is trusted with nothing else."""

    def words(record: Record) -> Sequence[str] | None:
        command, told = screen(record), inventory.connections.get(record.host)
        return ssh(record.host, told, command, options=(*ALONE, *SENT_BY_USERS)) if command and told else None

    return words


def reader(inventory: Inventory) -> Callable[[Record, int], bytes | None]:
    """Reads the last bytes of what a guest wrote on its console. None where that is kept nowhere."""

    def read(record: Record, most: int) -> bytes | None:
        import subprocess

        driver, told = driver_of(record), inventory.connections.get(record.host)
        if driver is None or driver.console_log is None or told is None:
            return None
        words = ssh(record.host, told, [*driver.console_log(record.leases["uuid"], most)], options=ALONE)
        try:
            done = subprocess.run(words, capture_output=True, timeout=PATIENCE, check=False, stdin=subprocess.DEVNULL)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Refused(NO_CONSOLE.at(None, f"{record.host} does not answer: {type(error).__name__}.")) from error
        if done.returncode:
            raise no_log(record, done.stderr)
        return done.stdout

    return read
