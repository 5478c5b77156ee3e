"""libvirt's flags. The library is imported when it is used: a host without it has no domains."""

from __future__ import annotations


def defined() -> int:
    """What a domain is from its next start on, with what is secret of it."""
    import libvirt

    return int(libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE)


def inactive() -> int:
    import libvirt

    return int(libvirt.VIR_DOMAIN_XML_INACTIVE)


def live() -> int:
    import libvirt

    return int(libvirt.VIR_DOMAIN_AFFECT_LIVE)


def lasting() -> int:
    """What it is from its next start on."""
    import libvirt

    return int(libvirt.VIR_DOMAIN_AFFECT_CONFIG)


def undefine() -> int:
    """With all that libvirt keeps beside a domain."""
    import libvirt

    return int(
        libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
        | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
        | libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
        | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
    )
