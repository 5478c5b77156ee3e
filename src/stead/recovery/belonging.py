"""Whether a store may speak for these hosts: they say which site they belong to, and which run was the last on them.

Pure. A store that is new, another site's, or older than what hosts carry does not know what they have, and whatever it
planned would take that for somebody else's: so nothing is planned with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from stead.core.diagnostics import Code, Diagnostic, Severity
from stead.core.kind import Kind
from stead.core.observed import HostStatus, Observed
from stead.core.recorded import Recorded
from stead.core.value import replace

NEW_STORE = Code("STEAD-S022", "the hosts belong to a site that the store does not know")
OTHER_SITE = Code("STEAD-S023", "the hosts belong to another site than the store")
OLDER_STORE = Code("STEAD-S024", "the store is older than the records of the hosts")
INCOMPLETE = Code("STEAD-S025", "the store was rebuilt without some of the hosts")
UNREAD = Code("STEAD-S026", "a host's records cannot be read", Severity.WARNING)
UNKNOWN_KIND = Code("STEAD-S027", "a host has a resource of an unknown kind", Severity.WARNING)

NAMED = 5  # hosts in a sentence
_LEAVE = "Hosts that are to leave it for good: `stead bootstrap --leave-site --limit HOST`."
_RECOVER = "rebuild it from the hosts with `stead recover` (`--dry-run` shows what it would find)"


def check(recorded: Recorded, observed: Observed) -> list[Diagnostic]:
    """Errors where these hosts were not written from this store. A host that says nothing may be new."""
    by_site: dict[str, list[str]] = {}
    for host, origin in sorted(observed.origins.items()):
        by_site.setdefault(origin.site, []).append(host)
    others = {site: hosts for site, hosts in by_site.items() if site != recorded.site}
    if others:
        return [_other_site(site, hosts, recorded) for site, hosts in others.items()]
    return [*_older(recorded, observed), *_incomplete(recorded, observed)]


def _other_site(site: str, hosts: list[str], recorded: Recorded) -> Diagnostic:
    if not recorded.resources and not recorded.tokens:
        here = "the store here is new" if recorded.site else "there is no store here"
        text = (
            f"{_some(hosts)} {_say(hosts)} of site {site}, and {here}: it would treat all their resources "
            "as foreign. Nothing was planned. Use the site's own store (--store, or restore its backup), "
            f"or {_RECOVER}. {_LEAVE}"
        )
        return NEW_STORE.at(None, text)
    text = (
        f"{_some(hosts)} {_say(hosts)} of site {site}, and this store is of site {recorded.site}. Nothing was planned. "
        f"Use the store and the inventory that belong together. {_LEAVE}"
    )
    return OTHER_SITE.at(None, text)


def _older(recorded: Recorded, observed: Observed) -> list[Diagnostic]:
    unknown = {host: one for host, one in sorted(observed.origins.items()) if one.token not in recorded.tokens}
    if not unknown:
        return []
    newest = max(one.serial for one in unknown.values())
    ahead = newest > recorded.serial
    what = (
        f"the store is an older copy: it is at serial {recorded.serial}, they are at {newest}"
        if ahead
        else "there are two copies of the store, and each went on by itself"
    )
    text = (
        f"{_some(list(unknown))} {'was' if len(unknown) == 1 else 'were'} last written to by a run that this store "
        f"does not know: {what}. Nothing was planned. Use the newer store; or complete this one from the hosts with "
        "`stead recover --merge`."
    )
    return [OLDER_STORE.at(None, text)]


def _incomplete(recorded: Recorded, observed: Observed) -> list[Diagnostic]:
    unheard = sorted(recorded.unheard)
    if not unheard:
        return []
    hosts = observed.hosts
    back = [name for name in unheard if name in hosts and hosts[name].state is not HostStatus.DOWN]
    then = (
        f"{_some(back)} {'answers' if len(back) == 1 else 'answer'} now: complete the store with `stead recover`."
        if back
        else "Bring them back and run `stead recover`; or, where a host is gone for good and all that it had with it, "
        f"`stead recover --without {unheard[0]}`."
    )
    text = (
        f"{_some(unheard)} did not answer when the store was rebuilt, so what they have is not known. Nothing was "
        f"planned: it could create second copies of resources that still run there. {then}"
    )
    return [INCOMPLETE.at(None, text)]


def understood(observed: Observed, kinds: Mapping[str, Kind]) -> tuple[Observed, list[Diagnostic]]:
    """What is of a kind that is not known here is told and left alone; so is what a host could not read itself."""
    found = [
        UNREAD.at(
            None, f"{host}: {text} Until then, nothing is done on {host}. Other hosts are not affected.", address=host
        )
        for host, texts in sorted(observed.unread.items())
        for text in texts
    ]
    strange = {address: hosts for address, hosts in observed.haves.items() if address.kind not in kinds}
    if not strange:
        return observed, found
    for address, hosts in strange.items():
        text = (
            f"{_some(sorted(hosts))} {'has' if len(hosts) == 1 else 'have'} {address}, and this version of Stead has "
            f"no kind {address.kind}. The resource is left alone. Upgrade Stead, or install the package that adds it."
        )
        found.append(UNKNOWN_KIND.at(None, text, address=str(address)))
    haves = {address: hosts for address, hosts in observed.haves.items() if address not in strange}
    return replace(observed, haves=haves), found


def _some(names: Iterable[str]) -> str:
    shown = list(names)
    if len(shown) > NAMED:
        return f"{', '.join(shown[:NAMED])} and {len(shown) - NAMED} more"
    return ", ".join(shown)


def _say(hosts: list[str]) -> str:
    return "is a host" if len(hosts) == 1 else "are hosts"
