"""All services, in the order in which docs and catalog have them."""

from stead.serve.compute.service import SERVICE as COMPUTE
from stead.serve.identity.service import SERVICE as IDENTITY
from stead.serve.image.service import SERVICE as IMAGE
from stead.serve.network.service import SERVICE as NETWORK
from stead.serve.orchestration.service import SERVICE as ORCHESTRATION
from stead.serve.volume.service import SERVICE as VOLUME

SERVICES = (IDENTITY, COMPUTE, NETWORK, IMAGE, VOLUME, ORCHESTRATION)
