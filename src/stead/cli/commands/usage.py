"""Show what projects used over time: hours of instances, processors, memory, disks and floating IPs.

  stead usage                                  all projects, this month
  stead usage --project acme --month 2026-11   one project in one month
  stead usage --from 2026-11-10 --to 2026-11-20T12:00:00
  stead usage --prices prices.yml              with what it costs; `--csv` for a spreadsheet

Usage is computed from what applies recorded: a resource counts from its creation until it is destroyed, to the moment.
Times are UTC.

exit status: 0; 1 when there is no such project, or the interval or the prices are not valid
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from stead.cli.common import options as shared
from stead.cli.common.console_output import BOLD, complain, paint
from stead.cli.common.selection import must_be_known
from stead.cli.common.workspace import UNREADABLE, open_state
from stead.core.diagnostics import Code, Refused, Severity
from stead.store.model import moment

if TYPE_CHECKING:
    from stead.core.metered import Metered, MeterWord
    from stead.store import Store
    from stead.usage.prices import PriceList, UsageLine
    from stead.usage.spans import UsageReport

NOT_ALL_KNOWN = Code("STEAD-U003", "not all usage is known", Severity.WARNING)
SET_BACK = Code("STEAD-U004", "a clock was set back", Severity.WARNING)
COLUMNS = ("from", "to", "project", "meter", "detail", "hours", "unit", "price", "cost", "currency")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--project", metavar="NAME", help="only this project (default: all)")
    parser.add_argument("--month", metavar="YYYY-MM", help="one month (default: this one, until now)")
    parser.add_argument(
        "--from", dest="begin", metavar="TIME", help="from this moment on (default: this month's first)"
    )
    parser.add_argument("--to", dest="end", metavar="TIME", help="until this moment (default: now)")
    parser.add_argument("--prices", metavar="FILE", help="prices of an hour, by meter")
    parser.add_argument("--csv", action="store_true", help="print CSV, for spreadsheets")
    shared.inputs(parser)
    shared.output(parser)


def run(options: argparse.Namespace) -> int:
    from stead.usage.prices import lines
    from stead.usage.spans import usage

    now = time.time()
    begin, end = asked(options.month, options.begin, options.end, now)
    words = meters()
    prices = prices_in(options.prices, words)
    store = open_state(shared.workspace_of(options))
    if options.project:
        must_be_known(options.project, store)
    history = store.metered(options.project)
    warn(store, history, begin)
    found = usage(history, begin, end, now)
    bill = list(lines(found.projects, words, prices))
    if options.json:
        print(json.dumps(as_json(found, bill, prices), indent=1, ensure_ascii=False))
    elif options.csv:
        write_csv(found, bill, prices)
    else:
        print("\n".join(text(found, bill, prices, priced=bool(options.prices))))
    return 0


def asked(one_month: str | None, begin: str | None, end: str | None, now: float) -> tuple[float, float]:
    from stead.usage.intervals import BAD_TIME, between, month

    if not one_month:
        return between(begin, end, now)
    if begin or end:
        raise Refused(BAD_TIME.at(None, "--month is a whole interval: leave --from and --to out."))
    return month(one_month)


def meters() -> dict[str, MeterWord]:
    from stead.kinds import kinds

    return {name: word for kind in kinds().values() for name, word in kind.meters.items()}


def prices_in(name: str | None, words: Mapping[str, MeterWord]) -> PriceList:
    from stead.usage.prices import PriceList, read_prices

    if not name:
        return PriceList()
    try:
        data = Path(name).read_bytes()
    except OSError as error:
        raise Refused(UNREADABLE.at(None, f"{name}: {error.strerror}.")) from error
    prices, found = read_prices(data, name, words)
    if found:
        raise Refused(*found)
    return prices


def warn(store: Store, history: Sequence[Metered], begin: float) -> None:
    from stead.usage.spans import set_back

    since, found = store.metered_since(), []
    if since is None:
        text = "An older version made this store. What resources take is recorded from the next `stead apply` on."
        found.append(NOT_ALL_KNOWN.at(None, text))
    elif since > begin:
        text = (
            f"All of it is recorded since {moment(since)}, when the store was upgraded or rebuilt from the hosts. Of "
            "the time before, only what is still recorded counts."
        )
        found.append(NOT_ALL_KNOWN.at(None, text))
    if wrong := set_back(history):
        text = (
            f"{len(wrong):,} changes carry an earlier time than the change before, first {wrong[0].address} at "
            f"{moment(wrong[0].at)}. They count from the later time, so that nothing counts twice."
        )
        found.append(SET_BACK.at(None, text))
    complain(found)


def as_json(found: UsageReport, bill: Sequence[UsageLine], prices: PriceList) -> dict[str, object]:
    def plain(number: Decimal | None) -> str | None:
        return None if number is None else str(number)

    return {
        "from": moment(found.begin),
        "to": moment(found.end),
        "currency": prices.currency,
        "usage": [
            {**one._asdict(), "hours": round(one.hours, 6), "price": plain(one.price), "cost": plain(one.cost)}
            for one in bill
        ],
    }


def write_csv(found: UsageReport, bill: Sequence[UsageLine], prices: PriceList) -> None:
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(COLUMNS)
    for one in bill:
        money = ["" if number is None else f"{number:f}" for number in (one.price, one.cost)]
        when = [moment(found.begin), moment(found.end)]
        out.writerow([*when, *one[:3], f"{one.hours:.6f}", one.unit, *money, prices.currency])


def text(found: UsageReport, bill: Sequence[UsageLine], prices: PriceList, *, priced: bool) -> list[str]:
    printed = [f"Usage from {moment(found.begin)} to {moment(found.end)}"]
    for project, some in groupby(bill, lambda one: one.project):
        mine = list(some)
        printed += ["", paint(f"project {project}", BOLD), *(line(one, priced=priced) for one in mine)]
        if priced:
            total = sum((one.cost for one in mine if one.cost is not None), Decimal(0))
            printed.append(f"  {'total':<52}  {total:>14,.2f} {prices.currency}".rstrip())
    return printed if bill else [*printed, "", "Nothing was used."]


def line(one: UsageLine, *, priced: bool) -> str:
    stem = f"  {one.meter:<16}{one.detail:<16}{one.hours:>14,.2f} {one.unit:<9}"
    if not priced:
        return stem.rstrip()
    return f"{stem}  {'no price' if one.cost is None else f'{one.cost:,.2f}':>14}".rstrip()
