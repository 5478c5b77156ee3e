"""A file of prices, and what an amount of hours costs by it. Decimal numbers throughout: these are bills."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal

from stead.core.diagnostics import Code, Diagnostic, Place
from stead.core.metered import MeterWord
from stead.core.named import NamedTuple
from stead.core.value import field, value
from stead.language.document import Mapping as Table
from stead.language.document import Node, Scalar
from stead.language.document.parser import read

BAD_PRICES = Code("STEAD-U001", "the prices cannot be used")
OTHERS = "*"  # the price of what has none of its own
CENT = Decimal("0.01")
GIB = 1 << 30
_FIELDS = frozenset({"currency", "prices"})
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,12})?")
_CURRENCY = re.compile(r"[A-Za-z€$£¥₩]{1,8}")


@value
class PriceList:
    currency: str = ""
    prices: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)  # meter -> detail, or `*` -> an hour's

    def price(self, meter: str, detail: str) -> Decimal | None:
        known = self.prices.get(meter, {})
        return known.get(detail, known.get(OTHERS))


class UsageLine(NamedTuple):
    """One line of a bill."""

    project: str
    meter: str
    detail: str  # flavor or pool
    hours: float  # of one, or of one GiB
    unit: str
    price: Decimal | None = None  # None: it has none
    cost: Decimal | None = None


def lines(
    projects: Mapping[str, Mapping[str, float]], words: Mapping[str, MeterWord], prices: PriceList
) -> Iterator[UsageLine]:
    for project, amounts in projects.items():
        for name, amount in amounts.items():
            meter, _, detail = name.partition(":")
            size = meter in words and words[meter].size
            hours = amount / GIB if size else amount
            price = prices.price(meter, detail)
            cost = None if price is None else (Decimal(repr(hours)) * price).quantize(CENT, ROUND_HALF_UP)
            yield UsageLine(project, meter, detail, hours, "GiB-hours" if size else "hours", price, cost)


def read_prices(data: bytes, file: str, words: Mapping[str, MeterWord]) -> tuple[PriceList, list[Diagnostic]]:
    node, found = read(data, file)
    if found:
        return PriceList(), found
    reading = _PriceReader(words)
    prices = reading.all_of(node, file)
    return prices, reading.found


class _PriceReader:
    """Tells every mistake of the file at once."""

    def __init__(self, words: Mapping[str, MeterWord]) -> None:
        self._words = words
        self.found: list[Diagnostic] = []

    def all_of(self, node: Node | None, file: str) -> PriceList:
        top = self._table(node, Place(file, 1, 1), "The file")
        for name in sorted(top.keys() - _FIELDS):
            self._tell(top[name].place, f"There is no field {name!r}: write `currency` and `prices`.")
        prices = self._table(top.get("prices"), Place(file, 1, 1), "`prices`")
        return PriceList(
            currency=self._currency(top.get("currency")),
            prices={meter: self._meter(meter, one) for meter, one in prices.items()},
        )

    def _table(self, node: Node | None, place: Place, what: str) -> Mapping[str, Node]:
        if isinstance(node, Table):
            return node.entries
        self._tell(
            node.place if node is not None else place, f"{what} is a mapping, such as `prices: {{vcpus: 0.01}}`."
        )
        return {}

    def _currency(self, node: Node | None) -> str:
        if node is None:
            return ""
        if isinstance(node, Scalar) and _CURRENCY.fullmatch(node.text):
            return node.text
        self._tell(node.place, "A currency is a code or a sign, such as EUR.")
        return ""

    def _meter(self, meter: str, node: Node) -> dict[str, Decimal]:
        if meter not in self._words:
            self._tell(node.place, f"Nothing is metered as {meter!r}. There are {', '.join(sorted(self._words))}.")
            return {}
        details = node.entries if isinstance(node, Table) else {OTHERS: node}
        return {detail: price for detail, one in details.items() if (price := self._price(one)) is not None}

    def _price(self, node: Node) -> Decimal | None:
        if isinstance(node, Scalar) and _NUMBER.fullmatch(node.text):
            return Decimal(node.text)
        self._tell(node.place, "A price is a number from 0, written with digits and a point, such as 0.0125.")
        return None

    def _tell(self, place: Place, text: str) -> None:
        self.found.append(BAD_PRICES.at(place, text))
