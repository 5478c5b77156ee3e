"""Serve OpenStack's APIs and the portal for this site, until it is stopped.

  stead user create ada --admin      once, before the first start; asks for a password
  stead serve                        on 127.0.0.1:8774; pages for people are at /portal/
  stead serve --listen 0.0.0.0:8774 --url https://cloud.example.org --tls-cert FILE --tls-key FILE

Every request is stored before it is answered, so a server that was killed continues where it was. Ctrl-C lets a running
apply finish. Nothing on the hosts needs the server. Install the extra: pip install 'stead[serve]'.

exit status: 0 when it is stopped
"""

from __future__ import annotations

import argparse

from stead.cli.common import options as shared
from stead.core.diagnostics import Code

BAD_ADDRESS = Code("STEAD-C061", "not an address to listen on")
IN_THE_OPEN = Code("STEAD-C062", "passwords would be sent unencrypted")
LISTEN = "127.0.0.1:8774"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--listen", default=LISTEN, metavar="HOST:PORT", help=f"where to listen (default: {LISTEN})")
    parser.add_argument("--url", default="", help="URL under which clients reach it (default: that of each request)")
    parser.add_argument("--tls-cert", metavar="FILE", help="certificate and its chain, in PEM")
    parser.add_argument("--tls-key", metavar="FILE", help="its private key")
    parser.add_argument(
        "--behind-proxy", action="store_true", help="a proxy on this machine does TLS: accept plain HTTP from it"
    )
    shared.inputs(parser)


def run(options: argparse.Namespace) -> int:
    import gc

    from stead.cli.common.serving import means, must_be_ready, people_of, required
    from stead.cli.common.workspace import BAD_OPTION
    from stead.core.diagnostics import Refused

    required()
    host, port = address(options.listen)
    must_be_closed(host, safe=bool(options.tls_cert or options.behind_proxy))
    if options.tls_key and not options.tls_cert:
        raise Refused(
            BAD_OPTION.at(None, "--tls-key is the key of a certificate. Name the certificate with --tls-cert.")
        )
    gc.enable()
    from stead.serve.cloud import Cloud
    from stead.serve.http import Listening, serve
    from stead.serve.services import SERVICES
    from stead.serve.worker import Worker

    ready = means(shared.workspace_of(options))
    cloud = Cloud(ready)
    if (identity := cloud.world().desired.site.identity) is not None:
        must_be_ready(identity)
    worker = Worker(cloud)
    at = Listening(
        host=host,
        port=port,
        url=options.url,
        behind_proxy=options.behind_proxy,
        certificate=options.tls_cert,
        key=options.tls_key,
    )
    serve(cloud, people_of(ready), worker, SERVICES, at)
    return 0


def address(text: str) -> tuple[str, int]:
    from stead.core.diagnostics import Refused

    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 <= int(port) < 65536:
        raise Refused(BAD_ADDRESS.at(None, f"{text!r}: write HOST:PORT, such as {LISTEN} or [::]:8774."))
    return host.strip("[]"), int(port)


def must_be_closed(host: str, *, safe: bool) -> None:
    from stead.core.diagnostics import Refused

    if host in ("127.0.0.1", "::1", "localhost") or safe:
        return
    text = (
        f"On {host} everybody in the network could read passwords and tokens. Use --tls-cert and --tls-key; or let a "
        "proxy do TLS, and use --behind-proxy."
    )
    raise Refused(IN_THE_OPEN.at(None, text))
