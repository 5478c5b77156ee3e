"""What a user may write of what a guest reads at its first boot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from stead.core.fields import LINE, Anything, Example, Expression, Secret, Text
from stead.core.value import field, value

Late = str | Expression | Secret


@value
class CloudInit:
    """What cloud-init finds at the first boot. Stead adds names, keys and interfaces by itself."""

    user_data: Annotated[
        Late | None,
        Text(late=True),
        "User data: a `#cloud-config`, a script, whatever cloud-init takes; expressions may use chosen addresses",
        Example("#cloud-config\npackages: [nginx]\n"),
    ] = None
    vendor_data: Annotated[Late | None, Text(late=True), "Vendor data, merged below the user data"] = None
    network_data: Annotated[
        Any, Anything(late=True), "Network configuration (version 2), in the place of Stead's own"
    ] = None
    meta_data: Annotated[
        Mapping[Annotated[str, LINE], Any],
        Anything(late=True),
        "Added to the meta data",
        Example({"stage": "production"}),
    ] = field(default_factory=dict)
    on_change: Annotated[
        Literal["keep", "rebuild"],
        "cloud-init reads its data, and keypairs, at the first boot only. When they change, `keep` leaves the instance "
        "and its root disk as they are: the change takes effect at the next rebuild, and plans say so until then. "
        "`rebuild` gives the instance a new root disk, with consent for the data that is lost",
    ] = "keep"


@value
class Ignition:
    """What Ignition or Combustion read at the first boot, on systems that have them in the place of cloud-init."""

    config: Annotated[
        Late | None,
        Text(late=True),
        "Configuration for Ignition, in JSON: what `butane` makes",
        Example('{"ignition": {"version": "3.4.0"}}'),
    ] = None
    combustion: Annotated[
        Late | None,
        Text(late=True),
        "Script for Combustion, of openSUSE and SUSE",
        Example("#!/bin/bash\n# combustion: network\necho here > /etc/motd\n"),
    ] = None
    on_change: Annotated[
        Literal["keep", "rebuild"],
        "It is read at the first boot only. When it changes, `keep` leaves the instance as it is, and `rebuild` gives "
        "it a new root disk, with consent for the data that is lost",
    ] = "keep"
