"""Whether the API of each host that serves it answers, and how long its certificate lasts.

Asked from this machine, as a client asks. Whose certificate it is, a client decides: here only its end counts.
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from stead.core.diagnostics import Code, Diagnostic, Severity
from stead.core.value import value
from stead.site.inventory import Inventory
from stead.site.inventory.serving import ApiSettings

SILENT = Code("STEAD-H042", "the API does not answer")
ENDING = Code("STEAD-H043", "the certificate of the API ends soon", Severity.WARNING)
SECONDS = 5.0
DAYS = 30  # bootstrap renews its own earlier


@value
class ApiAnswer:
    why: str = ""  # it does not answer
    ends: datetime | None = None


def ask_all(inventory: Inventory) -> dict[str, ApiAnswer]:
    told = inventory.connections
    return {
        name: ask(str(told[name].get("ansible_host", name)), one.port)
        for name, one in sorted(inventory.serving.items())
    }


def ask(address: str, port: int) -> ApiAnswer:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    link = http.client.HTTPSConnection(address, port, timeout=SECONDS, context=context)
    try:
        link.connect()
        shown = link.sock.getpeercert(binary_form=True) or b""
        link.request("GET", "/identity/v3")
        status = link.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return ApiAnswer(why=str(error) or type(error).__name__)
    finally:
        link.close()
    return ApiAnswer(why="" if status < 500 else f"it answers with {status}", ends=_end_of(shown))


def _end_of(certificate: bytes) -> datetime:
    from cryptography.x509 import load_der_x509_certificate

    return load_der_x509_certificate(certificate).not_valid_after_utc


def diagnosed(
    serving: Mapping[str, ApiSettings], answers: Mapping[str, ApiAnswer], now: datetime | None = None
) -> Iterator[Diagnostic]:
    for host, answer in answers.items():
        if answer.why:
            text = (
                f"Port {serving[host].port}: {answer.why}. `journalctl -u stead-serve` on {host} says why. If it was "
                "never started, run `stead bootstrap`. Instances and networks run on without it."
            )
            yield SILENT.at(None, text, address=host)
        elif answer.ends is not None and (left := (answer.ends - (now or datetime.now(UTC))).days) < DAYS:
            mend = (
                "`stead bootstrap` renews it."
                if serving[host].own
                else "Renew it, and run `systemctl restart stead-serve` on the host."
            )
            yield ENDING.at(None, f"{left} days are left: it ends on {answer.ends:%Y-%m-%d}. {mend}", address=host)
