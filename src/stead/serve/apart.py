"""What cannot be planned is left as it is, with all that needs it, so that nobody else waits for it.

Hosts, inventories and files change after a request was accepted: what fitted then may not fit any more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from stead.core.address import Address, parse
from stead.core.diagnostics import Diagnostic, Severity
from stead.core.value import replace
from stead.language.desired import Desired


def faults_of(found: Iterable[Diagnostic], projects: Collection[str]) -> Mapping[Address, str]:
    """Of what these projects have: each resource that errors are told of, and what they say."""
    told = ((parse(one.address), one) for one in found if one.severity is Severity.ERROR and one.address)
    return {
        address: f"{one.summary}: {one.detail} ({one.code})"
        for address, one in told
        if address is not None and (address.project or address.name) in projects
    }


def with_users(faults: Mapping[Address, str], desired: Desired) -> Mapping[Address, str]:
    """And of what needs them."""
    found = {member: faults[one] for one in faults for member in _of(one, desired)}
    while True:
        more = {
            member: f"It needs {needed}, which cannot be planned."
            for block in desired.blocks
            if not found.keys() & set(block.members)
            and (needed := next((one for one in block.refs if one in found), None))
            for member in block.members
        }
        if not more:
            return found
        found |= more


def _of(address: Address, desired: Desired) -> Iterable[Address]:
    """A project is all that it has."""
    if address.kind == "projects" and not address.project:
        own = (member for block in desired.blocks if block.project == address.name for member in block.members)
        return [address, *own]
    return [address]


def without(desired: Desired, apart: Collection[Address]) -> Desired:
    """Whoever plans this must not want `apart`: what of it is recorded would be destroyed."""
    if not apart:
        return desired
    left = tuple(block for block in desired.blocks if not any(one in apart for one in block.members))
    known = set(left)
    return replace(
        desired, blocks=left, by_address={one: block for one, block in desired.by_address.items() if block in known}
    )
