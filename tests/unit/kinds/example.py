"""The example of the design, resolved."""

from __future__ import annotations

from tests.unit.kinds.building import GIB, at, block, spec

from stead.core.fields import Expression
from stead.kinds.floating_ip.model import FloatingIp
from stead.kinds.image.model import Image
from stead.kinds.instance.first_boot import CloudInit
from stead.kinds.instance.model import Attachment, Instance, Nic, Spread
from stead.kinds.network.model import Network, Subnet
from stead.kinds.project.model import Project
from stead.kinds.router.model import External, Interface, Router
from stead.kinds.security_group.model import Ingress, SecurityGroup, Side
from stead.kinds.shared.sizing import Flavor
from stead.kinds.volume.model import Volume
from stead.language.desired import Desired


def design() -> Desired:
    app, public, debian = at("acme/networks/app"), at("networks/public"), at("images/debian-12")
    small = at("flavors/small")
    upstreams = Expression(
        "upstreams: {{ instances.web | map(attribute='address') | join(' ') }}", "cloud_init.user_data"
    )
    subnet = Subnet(cidr="203.0.113.0/24", gateway="203.0.113.1", pool="203.0.113.10-203.0.113.99")
    return spec(
        block("images/debian-12", Image(source="/srv/images/debian-12.qcow2", checksum="sha256:" + "ab" * 32)),
        block("flavors/small", Flavor(vcpus=1, memory=GIB, disk=10 * GIB)),
        block("networks/public", Network(type="flat", physical="external", external=True, subnets={"v4": subnet})),
        block("projects/acme", Project(quota={"instances": 20, "vcpus": 64, "memory": 128 * GIB, "floating_ips": 4})),
        block("acme/networks/app", Network(subnets={"v4": Subnet(cidr="10.20.0.0/24")})),
        block("acme/routers/edge", Router(external=External(network=public), networks=(Interface(network=app),))),
        block("acme/security_groups/bastion", SecurityGroup()),
        block(
            "acme/security_groups/web",
            SecurityGroup(
                ingress=(
                    Ingress(protocol="tcp", ports=("80", "443")),
                    Ingress(protocol="tcp", ports="22", from_=Side(group=at("acme/security_groups/bastion"))),
                )
            ),
        ),
        block("acme/volumes/pgdata", Volume(size=50 * GIB, pool="fast")),
        block(
            "acme/instances/web",
            Instance(
                flavor=small,
                image=debian,
                networks=(Nic(network=app),),
                security_groups=(at("acme/security_groups/web"),),
                spread=Spread(over="hosts", limit=2),
            ),
            count=3,
        ),
        block(
            "acme/instances/db",
            Instance(
                flavor=Flavor(vcpus=4, memory=8 * GIB, disk=20 * GIB),
                image=debian,
                networks=(Nic(network=app, address="10.20.0.10"),),
                volumes=(Attachment(volume=at("acme/volumes/pgdata")),),
                cloud_init=CloudInit(user_data="#cloud-config\n"),
            ),
        ),
        block(
            "acme/instances/proxy",
            Instance(
                flavor=small,
                image=debian,
                networks=(Nic(network=app),),
                cloud_init=CloudInit(user_data=upstreams),
            ),
            late=(upstreams,),
        ),
        block("acme/floating_ips/www", FloatingIp(network=public, instance=at("acme/instances/proxy"))),
    )
