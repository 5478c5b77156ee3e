"""Rules of nftables: given in one transaction, and told from what somebody has made of them since.

nft gives rules back in words of its own. So what it says right after it was given them is kept beside them as a digest,
and compared with what it says later. A newer nft may say the same in other words: then they are given once more, which
disturbs nobody. Where nothing was kept yet, by an older Stead, the text alone is compared until they are given next.
"""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from ..base import paths
from ..base.work import Work

Listing = List[Dict[str, Any]]  # of a table, as `nft -j list` has it
SEEN = ".seen"
READABLE = 0o644


def same(path: str, text: str, listing: Optional[List[Any]], work: Work) -> bool:
    """`listing` is what the kernel has of these rules now; nothing where it has none."""
    if listing is None or paths.read_bytes(path) != text.encode():
        return False
    kept = paths.read_bytes(path + SEEN)
    return kept == digest(listing) if kept is not None else work.check


def give(
    path: str, text: str, feed: str, read: Callable[[], Optional[List[Any]]], work: Work, namespace: str = ""
) -> None:
    """`text` is what is compared later, `feed` what is given now, and `read` what the kernel has then."""
    if not work.check:
        paths.remove(path + SEEN)  # a run that is killed now gives them again
    work.write(path, text, READABLE)
    put(feed, work, namespace)
    if not work.check:
        paths.write(path + SEEN, digest(read() or []), READABLE)


def put(feed: str, work: Work, namespace: str = "") -> None:
    inside = ["ip", "netns", "exec", namespace] if namespace else []
    work.run([*inside, "nft", "-f", "-"], feed=feed)


def forget(path: str, work: Work) -> None:
    work.remove(path + SEEN)
    work.remove(path)


def digest(listing: Sequence[Any]) -> bytes:
    text = json.dumps([_plain(one) for one in sorted(listing, key=_place)], sort_keys=True)
    return blake2b(text.encode(), digest_size=16).hexdigest().encode()


def _place(one: Any) -> Tuple[str, str]:
    """Rules stay in order within their chain; which chain was made first means nothing."""
    if not isinstance(one, dict):
        return "", ""
    kind, fields = next(iter(one.items()))
    return kind, fields.get("chain", fields.get("name", ""))


def _plain(value: Any) -> Any:
    """Without what is the kernel's own to choose: handles, and the order of what has none."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if not isinstance(value, dict):
        return value
    found = {name: _plain(one) for name, one in value.items() if name not in ("handle", "index", "metainfo")}
    for name in ("set", "elem"):
        if isinstance(found.get(name), list):
            found[name] = sorted(found[name], key=lambda one: json.dumps(one, sort_keys=True))
    return found


def chain_of(listing: Listing, *chains: str) -> Listing:
    """The chains of these names, with their rules in order, and the table that they are in."""
    found = []
    for one in listing:
        name = one.get("chain", {}).get("name", one.get("rule", {}).get("chain"))
        if name in chains or "table" in one:
            found.append(one)
    return found


def without_members(listing: Listing) -> Listing:
    """What a map or a set is, whoever is in it."""
    return [
        {kind: {name: value for name, value in one.items() if name != "elem"} for kind, one in whole.items()}
        for whole in listing
    ]


def members(listing: Optional[Listing], kind: str, name: str) -> List[Any]:
    """Of a set, or pairs of a map."""
    for one in listing or ():
        if one.get(kind, {}).get("name") == name:
            return list(one[kind].get("elem", []))
    return []


def anew(table: str, chain: str, hook: str, *rules: str) -> List[str]:
    """Lines that make a chain as it should be, whatever it was."""
    lines = ["add chain {0} {1}", "flush chain {0} {1}", "delete chain {0} {1}", "add chain {0} {1} {{ {2}; }}"]
    return [line.format(table, chain, hook) for line in lines] + [
        "add rule {0} {1} {2}".format(table, chain, rule) for rule in rules
    ]
