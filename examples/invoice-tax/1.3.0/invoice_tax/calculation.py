"""Net, tax and gross of lines, in exact decimals, rounded half to even in the currency's unit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from hotswap_plugin import PluginError

NO_TAX = Decimal(0)
# Digits after the point (ISO 4217); all other currencies have two.
_MINOR_UNITS = {"JPY": 0, "KRW": 0, "ISK": 0, "CLP": 0, "BHD": 3, "KWD": 3, "TND": 3}


@dataclass(frozen=True)
class Line:
    net: Decimal
    rate: Decimal

    @property
    def exact_tax(self) -> Decimal:
        return self.net * self.rate / 100


class Calculation:
    """All amounts of one invoice, in one currency."""

    def __init__(self, currency: str) -> None:
        self.unit = Decimal(1).scaleb(-_MINOR_UNITS.get(currency, 2))

    def read_lines(
        self, lines: Sequence[Mapping[str, Any]], rates: Mapping[str, Decimal] | None
    ) -> list[Line]:
        """Quantity times unit price, rounded as on the invoice; without rates, no tax."""
        return [self._read_line(number, line, rates) for number, line in enumerate(lines, start=1)]

    def total(self, lines: Sequence[Line], rounding: str) -> dict[str, Any]:
        """Tax rounded per line, per rate (EN 16931, BR-CO-17) or once on the whole invoice."""
        net = sum((line.net for line in lines), NO_TAX)
        groups = self._breakdown(lines)
        if rounding == "line":
            tax = sum((self.round(line.exact_tax) for line in lines), NO_TAX)
        elif rounding == "rate":
            tax = sum((Decimal(group["tax"]) for group in groups), NO_TAX)
        else:
            tax = self.round(sum((line.exact_tax for line in lines), NO_TAX))
        amounts = {"net": self.text(net), "tax": self.text(tax), "gross": self.text(net + tax)}
        return {"lines": [self._show(line) for line in lines], "breakdown": groups, **amounts}

    def round(self, amount: Decimal) -> Decimal:
        return amount.quantize(self.unit, rounding=ROUND_HALF_EVEN)

    def text(self, amount: Decimal) -> str:
        return f"{amount.quantize(self.unit):f}"

    def _read_line(
        self, number: int, line: Mapping[str, Any], rates: Mapping[str, Decimal] | None
    ) -> Line:
        net = self.round(Decimal(line.get("quantity", "1")) * Decimal(line["unit_price"]))
        if rates is None:
            return Line(net, NO_TAX)
        category = line.get("category", "standard")
        if category not in rates:
            raise PluginError(f"line {number}: this country has no {category} rate")
        return Line(net, rates[category])

    def _breakdown(self, lines: Sequence[Line]) -> list[dict[str, str]]:
        """Taxable amount and tax per rate, the highest rate first."""
        bases: dict[Decimal, Decimal] = {}
        for line in lines:
            bases[line.rate] = bases.get(line.rate, NO_TAX) + line.net
        return [
            {
                "rate": f"{rate.normalize():f}",
                "net": self.text(base),
                "tax": self.text(self.round(base * rate / 100)),
            }
            for rate, base in sorted(bases.items(), reverse=True)
        ]

    def _show(self, line: Line) -> dict[str, str]:
        tax = self.round(line.exact_tax)
        return {
            "net": self.text(line.net),
            "rate": f"{line.rate.normalize():f}",
            "tax": self.text(tax),
            "gross": self.text(line.net + tax),
        }
