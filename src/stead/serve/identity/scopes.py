"""Where a role is held: in a project (its id), in a domain, or in the system, which is the whole cloud."""

SYSTEM = "system"
_OF_DOMAIN = "domain:"


def of_domain(domain: str) -> str:
    return f"{_OF_DOMAIN}{domain}"


def domain_of(where: str) -> str:
    """The id of the domain; empty for what is none."""
    return where.removeprefix(_OF_DOMAIN) if where.startswith(_OF_DOMAIN) else ""
