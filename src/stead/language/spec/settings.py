"""The fields that every kind understands, beside its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from stead.core.address import NAME
from stead.core.fields import (
    LINE,
    Anything,
    Duration,
    Example,
    Path,
    Text,
)
from stead.core.value import field, value

TAG = Text(pattern=r"[^/,]+", what="a tag: one line without '/' and ','", longest=255)


@value
class PlaybookHook:
    """A playbook of yours, run before or after a step of the resource."""

    playbook: Annotated[
        str, Path(), "File of the playbook, in a folder that has hooks alone", Example("hooks/drain.yml")
    ]
    when: Annotated[Literal["before", "after"], "Before or after the step"] = "after"
    actions: Annotated[
        tuple[Literal["create", "update", "migrate", "reboot", "rebuild", "replace", "destroy"], ...],
        "Steps at which it runs; left out, all",
        Example(["create"]),
    ] = ()
    vars: Annotated[Mapping[Annotated[str, LINE], Any], Anything(), "Variables for it"] = field(default_factory=dict)


@value
class SiteHook:
    """A playbook of the site's that projects may be granted to have run, by its name."""

    playbook: Annotated[
        str, Path(), "File of the playbook, in a folder that has hooks alone", Example("hooks/notify.yml")
    ]
    vars: Annotated[
        Mapping[Annotated[str, LINE], Any],
        Anything(),
        "Variables for it. Project files may give others for these, and for no more",
        Example({"channel": "ops"}),
    ] = field(default_factory=dict)


@value
class InBatches:
    """How members of a counted definition are changed where that disturbs them."""

    at_once: Annotated[
        str,
        Text(pattern=r"[1-9][0-9]{0,5}|([1-9][0-9]?|100)%", what="a number of members from 1, or a share up to 100%"),
        "Members that are rebooted, rebuilt or replaced at once: a number, or a share of all, rounded down",
        Example("25%"),
    ] = "1"
    wait: Annotated[int, Duration(), "How long apply waits between two batches", Example("30s")] = 0
    stop_on_failure: Annotated[bool, "Leave the rest as it is when a member fails or is not ready in time"] = True


@value
class Common:
    """Fields of every resource."""

    labels: Annotated[
        Mapping[Annotated[str, LINE], Annotated[str, LINE]],
        "Labels, for selecting and for people",
        Example({"tier": "web"}),
    ] = field(default_factory=dict)
    display_name: Annotated[
        str,
        Text(pattern=r".*", what="one line", longest=255),
        "A name for people, which several may have; left out, its own",
        Example("Web server"),
    ] = ""
    tags: Annotated[
        tuple[Annotated[str, TAG], ...], "Tags, for people and for what they use to find it", Example(["production"])
    ] = ()
    protect: Annotated[bool, "Refuse to destroy or rebuild it, even when it is gone from the spec"] = False
    ignore: Annotated[
        tuple[Annotated[str, LINE], ...],
        "Fields that are left to others: what is there stays so, and a difference is no change",
        Example(["memory"]),
    ] = ()
    depends_on: Annotated[
        tuple[Annotated[str, LINE], ...], "Addresses of what must be there before it", Example(["instances/db"])
    ] = ()
    replace_when: Annotated[Any, Anything(), "Any value; when it changes, the resource is made anew"] = None
    create_before_destroy: Annotated[
        bool,
        "Replaced by one on another host that has no address or number of the old one's, make the new one first",
    ] = False
    rollout: Annotated[
        InBatches | None,
        "Reboot, rebuild and replace members a few at a time, each batch when the one before is ready; left out, all "
        "at once",
        Example({"at_once": 1}),
    ] = None
    hooks: Annotated[
        tuple[PlaybookHook, ...],
        "Playbooks around its steps",
        Example([{"playbook": "hooks/drain.yml", "when": "before"}]),
    ] = ()


# `debian/12`: what `stead image lock` writes of an image of the catalogue.
PROFILE = Text(pattern=rf"{NAME.pattern}(/[a-z0-9][a-z0-9._-]{{0,62}})?", what="the name of a profile", longest=127)


@value
class Composed:
    """What decides which fields a definition has, and whether it is there; read before all others."""

    profile: Annotated[
        tuple[Annotated[str, PROFILE], ...] | Annotated[str, PROFILE],
        "Profiles whose fields it has too, in order: later ones win, and its own win over all",
        Example(["base", "web"]),
    ] = ()
    when: Annotated[
        bool, "Whether it is there. An expression may use `vars` and `project`", Example("{{ vars.stage == 'live' }}")
    ] = True


COMPOSED = frozenset({"profile", "when"})
SETTINGS = frozenset(
    {
        "labels",
        "display_name",
        "tags",
        "protect",
        "ignore",
        "depends_on",
        "replace_when",
        "create_before_destroy",
        "rollout",
        "hooks",
    }
)
COUNTED = frozenset({"count", "for_each"})
