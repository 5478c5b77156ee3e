"""The command line: one file per command, imported only when it is asked for.

A command file offers `arguments(parser)`, which declares its options, and `run(options) -> int`, whose value is the
exit status. What a command prints as its result goes to stdout, everything else to stderr.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

from stead import __version__

# name -> one line of help. A table rather than a scan, so that `stead --help` imports no command.
COMMANDS: dict[str, str] = {
    "init": "create a demo, or a new site",
    "validate": "check a spec without hosts",
    "fmt": "format specs",
    "test": "run the tests of a spec on simulated hosts",
    "plan": "show what an apply would do, and why",
    "apply": "apply the spec, or a plan file",
    "review": "submit a plan for review, approve or refuse it",
    "destroy": "destroy everything that is recorded",
    "show": "show what is recorded, one resource, or a plan file",
    "output": "print outputs of the last apply",
    "diff": "show each field that differs: change or drift",
    "drift": "show differences between hosts and the last apply",
    "launch": "write an instance of a well-known image into the spec, and apply it",
    "image": "list images of distributions, and lock their checksums",
    "schema": "print the JSON Schema of the spec",
    "explain": "explain why a resource is on its host, or on none",
    "capacity": "show used and free capacity, and what a failure would do",
    "usage": "show what projects used over time, and what it costs",
    "members": "show who answers behind load balancers",
    "trace": "show whether a packet gets from one resource to another, and why not",
    "top": "show what instances use now: processors, memory, disks, network",
    "rebalance": "plan live migrations that even hosts out",
    "evacuate": "start elsewhere what a dead host ran",
    "watch": "evacuate hosts that die, by a policy",
    "stop": "stop instances until they are started again",
    "start": "start instances",
    "reboot": "restart instances",
    "pause": "pause instances: they keep their memory, and stand still",
    "suspend": "suspend instances: their memory is kept on a disk",
    "resume": "let paused or suspended instances go on",
    "shelve": "stop instances, which then take no room but that of their disks",
    "unshelve": "let shelved instances run again",
    "revert": "put a volume or an instance back to a snapshot",
    "migrate": "move a running instance to another host",
    "drain": "move everything away from a host",
    "restore": "bring home what a drain moved away",
    "graph": "draw the graph of references",
    "version": "print versions",
    "completion": "print a completion script for bash, zsh or fish",
    "state": "show and edit the recorded state",
    "recover": "rebuild a lost store from the hosts",
    "backup": "back up volumes and root disks, list and check backups",
    "runs": "list runs, or show one step by step",
    "events": "print what happened, or what happens",
    "lock": "show who holds the lock",
    "unlock": "release the lock of a dead apply",
    "simulate": "inject faults and drift into simulated hosts",
    "lab": "run several real hosts on this machine, to try and test",
    "bootstrap": "prepare the hosts of the inventory for their roles",
    "fence": "cut the power of a host, and record that it is off",
    "doctor": "check hosts and report problems",
    "hosts": "list hosts with their state, capacity and instances",
    "credentials": "show the keys with which a bucket is used",
    "console": "open the serial console of an instance",
    "logs": "print what an instance wrote on its serial console",
    "ssh": "log in to an instance, or run a command there",
    "cp": "copy files to an instance, or from it",
    "serve": "serve OpenStack's APIs and the portal for this site",
    "user": "manage users of the API of `stead serve`",
    "import": "make a spec of a template of OpenStack's Heat",
    "export": "print a project of the API as a file",
    "project": "hand a project over from the API to files, or from files to the API",
}


# Commands that leave nothing to be cleaned up: no temporary files, no children, no locks.
READING = frozenset(
    {"completion", "diff", "drift", "explain", "graph", "output", "plan", "show", "validate", "version"}
)


INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """`argv` is given by who goes on afterwards: tests, and programs that use the command line as a function."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments in (["--version"], ["-V"]):  # before any import: tools call this often
        try:
            print(f"stead {__version__}", flush=True)
        except OSError:
            os._exit(1)
        return 0
    if argv is None:
        gc.disable()  # a command makes many values and ends: nothing is worth collecting. `apply` turns it on again
    if argv is not None:
        from stead.cli.entry import dispatch

        return dispatch(arguments)
    try:
        from stead.cli.entry import whole

        status = whole(arguments)
    except KeyboardInterrupt:  # while a command was still being imported
        return INTERRUPTED
    if arguments and arguments[0] in READING:
        _leave(status)
    return status


def _leave(status: int) -> None:
    """At once: taking apart hundreds of thousands of values one by one would take as long as making them."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
