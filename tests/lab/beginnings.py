"""How the specs of most tests begin. Whoever writes one puts the path of a built image in the place of TINY."""

from __future__ import annotations

SMALL = """stead: 1
images:
  tiny: {source: TINY}
flavors:
  small: {vcpus: 1, memory: 128MiB, disk: 1GiB}
"""
WITH_PUBLIC = (
    SMALL
    + """networks:
  public:
    {type: flat, physical: external, external: true,
     subnets: {v4: {cidr: 203.0.113.0/24, gateway: 203.0.113.1, pool: 203.0.113.10-203.0.113.99}}}
"""
)
