"""All services, in the order in which docs and catalog have them."""

from stead.serve.compute.server_calls import action_names
from stead.serve.compute.service import SERVICE as COMPUTE
from stead.serve.identity.service import SERVICE as IDENTITY
from stead.serve.image.service import SERVICE as IMAGE
from stead.serve.network.service import SERVICE as NETWORK
from stead.serve.orchestration.service import SERVICE as ORCHESTRATION
from stead.serve.permissions import every_word
from stead.serve.review.service import SERVICE as REVIEW
from stead.serve.volume.service import SERVICE as VOLUME
from stead.serve.volume.volumes import ACTIONS

SERVICES = (IDENTITY, COMPUTE, NETWORK, IMAGE, VOLUME, ORCHESTRATION, REVIEW)


def permission_words() -> frozenset[str]:
    """All that a role of the site's files may be given."""
    return frozenset(every_word(SERVICES, {"compute:servers:": action_names(), "volume:volumes:": ACTIONS}))
